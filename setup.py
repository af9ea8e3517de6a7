"""Says which files cosembed installs; everything else about the package is in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    # The specs lie beside the package in a checkout and inside it in a wheel, whose top level holds nothing
    # else.
    packages=[*find_packages(include=["cosembed", "cosembed.*"]), "cosembed.data_specs"],
    package_dir={"cosembed.data_specs": "data_specs"},
    package_data={
        "cosembed": ["py.typed"],
        "cosembed.data_specs": ["*.yaml"],
        # What makes the pictures of a report move.
        "cosembed.reporting.web": ["*.js", "*.css"],
        # What napari looks for.
        "cosembed.napari_plugin": ["napari.yaml"],
        # The networks that come with it.
        "cosembed.networks": ["*/*.yaml", "*/*.npz"],
    },
)
