"""Where in time an encoder's tokens belong: ``Layout``, which is with what it lays out."""

from lstta_core.streams import Layout as Layout
