"""Says which files cosembed installs; everything else about the package is in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["cosembed", "cosembed.*", "experiments", "benchmarks"]), "data_specs"],
    package_data={"cosembed": ["py.typed"], "data_specs": ["*.yaml"], "experiments": ["*.json"]},
)
