"""Reads cine MR of the heart, as ACDC and the STACOM 2011 challenge lay it out."""
