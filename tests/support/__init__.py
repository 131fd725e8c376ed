"""What several tests share: fixtures, small exposures and files of every kind, tools run in process."""
