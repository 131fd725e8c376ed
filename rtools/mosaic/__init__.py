"""Mosaics: exposures to coadds. Arrays in, arrays out; knows no files and no command lines."""
