"""Installs cosembed. Exact, tested versions of everything below are in constraints.txt."""

import sys

from setuptools import find_packages, setup

if sys.version_info[:2] != (3, 11):
    sys.exit(
        f"cosembed needs Python 3.11 (TensorFlow 2.15.1), not {sys.version.split()[0]}: make PYTHON=/path/to/python3.11"
    )

setup(
    name="cosembed",
    version="0.1.0",
    description="Instance segmentation and tracking with cosine embeddings and recurrent hourglass networks (TensorFlow 2)",
    license="Apache-2.0",
    python_requires=">=3.11,<3.12",
    packages=[*find_packages(include=["cosembed", "cosembed.*", "experiments", "benchmarks"]), "data_specs"],
    package_data={"cosembed": ["py.typed"], "data_specs": ["*.yaml"], "experiments": ["*.json"]},
    install_requires=[
        "tensorflow==2.15.1",
        "tensorflow-addons==0.23.0",
        "numpy>=1.26,<2",
        "h5py>=3.10",
        "pillow>=10.3",
        "SimpleITK>=2.3",
        "hdbscan>=0.8.33",
        "scipy>=1.11",
        "tifffile>=2023.9",
        "imagecodecs>=2023.9",
        "absl-py>=2.0",
        "py-ctcmetrics>=1.3",
        "pooch>=1.8",
        "tqdm>=4.66",
        "matplotlib>=3.8",
        "networkx>=3.2",
        "tensorboard>=2.15,<2.16",
        "PyYAML>=6.0",
        "scikit-image>=0.22",
        "scikit-learn>=1.3",
    ],
    extras_require={
        "dev": [
            "pytest>=8",
            "pytest-timeout",
            "pytest-xdist",
            "hypothesis",
            "traccuracy",
            "ruff",
            "mypy",
            "types-PyYAML",
            "types-tqdm",
        ],
    },
)
