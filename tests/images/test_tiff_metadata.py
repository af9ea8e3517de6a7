"""Pixel size and frame interval are read from what OME and ImageJ write into TIFF files."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from cosembed.errors import DataError
from cosembed.images.calibration import UNKNOWN, Calibration, Stated, settle
from cosembed.images.tiff_metadata import read_stated
from cosembed.images.video_files import open_video, stated_by

IMAGES = np.random.default_rng(0).integers(1, 999, (4, 8, 9)).astype(np.uint16)
NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def write_ome(path: Path, images: np.ndarray = IMAGES, **metadata: object) -> Path:
    tifffile.imwrite(path, images, ome=True, metadata={"axes": "TYX"[-images.ndim :], **metadata})
    return path


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"PhysicalSizeX": 0.65, "PhysicalSizeY": 0.65, "TimeIncrement": 300}, (0.65, 5)),
        (
            {
                "PhysicalSizeX": 325,
                "PhysicalSizeXUnit": "nm",
                "PhysicalSizeY": 0.325,
                "TimeIncrement": 0.25,
                "TimeIncrementUnit": "h",
            },
            (0.325, 15),
        ),
        ({"PhysicalSizeX": 2, "PhysicalSizeXUnit": "pixel"}, (None, None)),
        ({"PhysicalSizeX": 0.0, "TimeIncrement": -1}, (None, None)),
        ({"Plane": {"DeltaT": [0.0, 60.0, 121.0, 180.0]}}, (None, 1)),
        ({}, (None, None)),
    ],
)
def test_what_ome_states_is_read(tmp_path, metadata, expected):
    stated = stated_by(open_video(write_ome(tmp_path / "a.ome.tif", **metadata)))
    assert settle("a", stated)[0] == pytest.approx(Calibration(*expected))


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"unit": "um", "finterval": 300.0}, (0.65, 5)),
        ({"unit": "micron", "finterval": 5.0, "tunit": "min"}, (0.65, 5)),
        ({"unit": "\\u00B5m"}, (0.65, None)),
        ({"unit": "mm"}, (650, None)),
        ({"unit": "pixel", "finterval": 0.0}, (None, None)),
        ({"unit": "inch"}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_what_imagej_states_is_read(tmp_path, metadata, expected):
    size = (1 / 0.65, 1 / 0.65)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, IMAGES, imagej=True, resolution=size, metadata={"axes": "TYX", **metadata})
    assert settle("a", read_stated(path))[0] == pytest.approx(Calibration(*expected))


def test_the_resolution_of_other_programs_states_nothing(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", IMAGES[0], resolution=(72, 72), resolutionunit="INCH")
    assert read_stated(tmp_path / "a.tif") == Stated()


def test_the_files_of_a_folder_state_together(tmp_path):
    for frame, size in enumerate((0.5, 0.9, 0.5)):
        write_ome(tmp_path / f"t{frame:03d}.tif", IMAGES[frame], PhysicalSizeX=size, PhysicalSizeY=size)
    assert settle("a", stated_by(open_video(tmp_path)))[0] == Calibration(0.5)
    write_ome(tmp_path / "t003.tif", IMAGES[3], PhysicalSizeX=0.6, PhysicalSizeY=0.6)
    stated = stated_by(open_video(tmp_path))
    with pytest.raises(DataError, match=r"^a: its metadata contradict each other, .* 0\.5 .* 0\.6 "):
        settle("a", stated)
    assert settle("a", stated, Calibration(0.5, 2)) == (
        (0.5, 2),
        ["a states pixels of 0.6 micrometres; --pixel_size=0.5 counts."],
    )


def test_the_parts_of_one_ome_series_are_a_folder_with_its_metadata(tmp_path):
    """Every file has the XML of the whole series, which names the other files."""
    parts = "".join(
        f'<TiffData FirstT="{time}" IFD="0" PlaneCount="1"><UUID FileName="s_t{time}.ome.tif">urn:uuid:{time}'
        "</UUID></TiffData>"
        for time in range(4)
    )
    text = (
        f'<?xml version="1.0"?><OME xmlns="{NAMESPACE}"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        'DimensionOrder="XYCZT" Type="uint16" SizeX="9" SizeY="8" SizeC="1" SizeZ="1" SizeT="4" '
        'PhysicalSizeX="0.65" PhysicalSizeY="0.65" TimeIncrement="300">'
        f'<Channel ID="Channel:0:0" SamplesPerPixel="1"/>{parts}</Pixels></Image></OME>'
    )
    for time, image in enumerate(IMAGES):
        tifffile.imwrite(tmp_path / f"s_t{time}.ome.tif", image, description=text, metadata=None)
    frames = open_video(tmp_path)
    np.testing.assert_array_equal(np.stack(list(frames)), IMAGES)
    assert settle("a", stated_by(frames)) == ((0.65, 5), [])


@pytest.mark.parametrize(
    ("stated", "given", "expected", "doubts"),
    [
        (Stated(), UNKNOWN, (None, None), 0),
        (Stated((0.65, 0.651)), UNKNOWN, (0.65, None), 0),
        (Stated((0.65,), (5.0, 5.1)), UNKNOWN, (0.65, 5), 0),
        (Stated((0.65,), (5.0,)), Calibration(0.65, 5), (0.65, 5), 0),
        (Stated((0.65,), (5.0,)), Calibration(1.3), (1.3, 5), 1),
        (Stated((0.65,), (5.0, 60.0)), Calibration(1.3, 60), (1.3, 60), 2),
    ],
)
def test_a_person_counts_more_than_a_file(stated, given, expected, doubts):
    calibration, sentences = settle("a", stated, given)
    assert calibration == expected and len(sentences) == doubts


def test_intervals_that_contradict_each_other_are_named(tmp_path):
    path = write_ome(tmp_path / "a.ome.tif", TimeIncrement=60, Plane={"DeltaT": [0.0, 300.0, 600.0, 900.0]})
    with pytest.raises(DataError, match=r"state 1 minutes .* and 5 minutes .*frame_interval"):
        settle("a", read_stated(path))
