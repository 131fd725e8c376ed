"""What each step does with files: which it takes, which it gives. One file a step, called as the step."""
