"""A page in the browser to try an adapter on: a video, a text, the answer, and where the model looked."""
