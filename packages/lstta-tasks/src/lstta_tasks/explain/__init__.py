"""What a model answers and where it looked: tables, pictures, and a page to show."""
