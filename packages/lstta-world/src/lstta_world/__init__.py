"""The built-in clips: a small world of performers, rendered to video files in the public data sets' own layouts.

The way of one clip: ``random_scenes.sample_scene`` draws what happens, a ``scene``; ``truth`` says what is true of it;
``render`` and ``synth`` make pictures and sound; ``film_files`` writes them as mp4. Beside the musicians there are
talkers, with a ``talk`` for a scene: ``casting``, ``talk_truth``, ``talk_render``, ``speech``; and clips of moments:
``moment_clips``, ``moment_questions``, ``moment_film``, ``spoken_words``. One file a data set (``music_avqa``,
``meld``, ``moments``, …) asks or tells what is true in that data set's own files; ``generate`` writes any of them, and
beside it which seconds matter (``relevance``). Nothing is imported here, so that ``--help`` stays fast.
"""
