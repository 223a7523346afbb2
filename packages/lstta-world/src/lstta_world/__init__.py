"""The built-in clips: a small world of performers, rendered to video files in the public data sets' own layouts.

The way of one clip: ``scene.sample_scene`` draws what happens; ``truth`` says what is true of it; ``render`` and
``synth`` make pictures and sound; ``media`` writes them as mp4. Beside the musicians there are talkers, with a ``talk``
for a scene: ``talk_truth``, ``talk_render``, ``speech``. One file a data set (``avqa``) asks or tells what is
true in that data set's own files. Nothing is imported here, so that ``--help`` stays fast.
"""
