"""What the tests of every part stand on."""
