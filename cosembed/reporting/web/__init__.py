"""Holds the scripts and styles of the viewers in a report; `reporting.report` puts them into the page."""
