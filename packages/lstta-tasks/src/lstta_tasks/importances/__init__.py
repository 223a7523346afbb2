"""Whether importances mean something: compared with known seconds, and by removing the segments that they rank."""
