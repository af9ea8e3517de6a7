"""Leaf images read back as written, from PNG and HDF5; what cannot be used is refused in one sentence."""

import struct
import zlib

import h5py
import numpy as np
import pytest
from PIL import Image

from cosembed.datasets.leaves import find_plants
from cosembed.errors import DataError


@pytest.fixture
def image():
    return np.random.default_rng(1).integers(0, 256, (20, 31, 3), dtype=np.uint8)


@pytest.fixture
def labels():
    leaves = np.zeros((20, 31), np.uint16)
    leaves[2:9, 3:12] = 1
    leaves[5:15, 12:25] = 7
    return leaves


def palette_image(labels):
    picture = Image.fromarray(labels.astype(np.uint8))
    # Two leaves of one colour and one as black as the background: only the indices tell them apart.
    picture.putpalette([0, 0, 0, 0, 0, 0, *(200, 30, 30) * 254])
    return picture


def write_pngs(folder, name, image, labels):
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(folder / f"{name}_rgb.png")
    palette_image(labels).save(folder / f"{name}_label.png")


def write_hdf5(path, parts):
    with h5py.File(path, "w") as file:
        for key, pixels in parts.items():
            file[key] = pixels


def png_header(width, height):
    """A PNG of any stated size whose pixels are absent."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    end = b"IDAT" + zlib.compress(b"")
    chunks = [
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in (chunk, end)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_a_palettes_index_is_the_label_whatever_its_colour(tmp_path, image, labels):
    write_pngs(tmp_path / "A1", "plant002", image, labels)
    write_pngs(tmp_path / "A1", "plant001", image[:10, :14], labels[:10, :14])
    (tmp_path / "A1" / "plant001_fg.png").write_bytes(b"not read")
    (tmp_path / "A1" / "._plant001_rgb.png").write_bytes(b"left by a file manager")
    for root in (tmp_path, tmp_path / "A1"):
        first, second = find_plants(root)
        assert (first.name, second.name) == ("plant001", "plant002")
        assert first.has_labels and second.has_labels
        np.testing.assert_array_equal(second.labels(), labels)
        np.testing.assert_array_equal(second.image(), image)
        np.testing.assert_array_equal(first.image(), image[:10, :14])
        assert (first.labels().dtype, first.image().dtype) == (np.uint16, np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_labels_keep_their_numbers(dtype, tmp_path, image, labels):
    write_pngs(tmp_path, "plant001", image, labels)
    numbered = labels * (30 if dtype == np.uint8 else 9000)
    Image.fromarray(numbered.astype(dtype)).save(tmp_path / "plant001_label.png")
    np.testing.assert_array_equal(find_plants(tmp_path)[0].labels(), numbered)


def painted(labels, colours):
    """A colour image of labels; 0 is black."""
    picture = np.zeros((*labels.shape, 3), np.uint8)
    for label, colour in colours.items():
        picture[labels == label] = colour
    return picture


def test_a_colour_on_black_is_a_leaf_numbered_in_the_order_of_the_colours(tmp_path, image, labels):
    write_pngs(tmp_path, "plant001", image, labels)
    colours = {1: (200, 0, 5), 7: (10, 255, 0)}
    expected = np.select([labels == 7, labels == 1], [1, 2], 0)
    picture = painted(labels, colours)
    # Where nothing is painted, programs keep any colour.
    clear = np.dstack([np.where(picture.any(axis=-1, keepdims=True), picture, 99), 255 * (labels > 0)])
    grey = Image.merge(
        "LA", [Image.fromarray((100 * expected).astype(np.uint8)), Image.new("L", (31, 20), 255)]
    )
    for saved in (Image.fromarray(picture), Image.fromarray(clear.astype(np.uint8)), grey):
        saved.save(tmp_path / "plant001_label.png")
        (plant,) = find_plants(tmp_path)
        np.testing.assert_array_equal(plant.labels(), expected)
        assert plant.labels().dtype == np.uint16
    parts = {"A1/plant001/rgb": image, "A1/plant001/label": picture.astype(np.uint16) * 257}
    write_hdf5(tmp_path / "leaves.h5", parts)
    np.testing.assert_array_equal(find_plants(tmp_path / "leaves.h5")[0].labels(), expected)


def test_smoothed_edges_and_a_bright_background_are_refused(tmp_path, image, labels):
    write_pngs(tmp_path, "plant001", image, labels)
    smooth = np.linspace(0, 255, 20 * 31).astype(np.uint8).reshape(20, 31)
    for colours, said in (
        (np.dstack([smooth, smooth.T.reshape(20, 31), smooth]), "is a colour image of"),
        (
            painted(labels, {0: (255, 255, 255), 1: (9, 9, 0), 7: (0, 9, 9)}),
            "3 colours, not black among them",
        ),
    ):
        Image.fromarray(colours).save(tmp_path / "plant001_label.png")
        refused(tmp_path, "plant001_label.png", said, use=read_labels)
    write_hdf5(tmp_path / "leaves.h5", {"A1/p/rgb": image, "A1/p/label": colours.astype(np.int32)})
    refused(tmp_path / "leaves.h5", "A1/p/label", "int32 colours", use=read_labels)


def test_the_black_of_a_palette_that_was_sorted_anew_is_the_background(tmp_path, image, labels):
    write_pngs(tmp_path, "plant001", image, labels)
    sorted_anew = Image.fromarray(np.select([labels == 1, labels == 7], [0, 1], 2).astype(np.uint8))
    sorted_anew.putpalette([250, 0, 0, 0, 250, 0, 0, 0, 0])
    for bits in (2, 8):
        sorted_anew.save(tmp_path / "plant001_label.png", bits=bits)
        expected = np.select([labels == 1, labels == 7], [2, 1], 0)
        np.testing.assert_array_equal(find_plants(tmp_path)[0].labels(), expected)


def test_a_leaf_may_be_all_there_is_in_black_and_white(tmp_path, image, labels):
    write_pngs(tmp_path, "plant001", image, labels)
    Image.fromarray(labels > 0).save(tmp_path / "plant001_label.png")
    np.testing.assert_array_equal(find_plants(tmp_path)[0].labels(), labels > 0)


def test_the_foreground_is_whatever_is_not_black(tmp_path, image, labels):
    write_pngs(tmp_path, "plant001", image, labels)
    assert find_plants(tmp_path)[0].foreground() is None
    plant = labels > 0
    white = Image.fromarray(255 * plant.astype(np.uint8))
    alpha = np.dstack([255 * plant] * 3 + [np.full_like(labels, 255)]).astype(np.uint8)
    for picture in (
        white,
        white.convert("1"),
        white.convert("RGB"),
        Image.fromarray(alpha),
        palette_image(plant),
    ):
        picture.save(tmp_path / "plant001_fg.png")
        np.testing.assert_array_equal(find_plants(tmp_path)[0].foreground(), plant)
    write_hdf5(
        tmp_path / "leaves.h5", {"A1/p/rgb": image, "A1/p/label": labels, "A1/p/fg": plant.astype(np.uint8)}
    )
    np.testing.assert_array_equal(find_plants(tmp_path / "leaves.h5")[0].foreground(), plant)
    white.resize((20, 31)).save(tmp_path / "plant001_fg.png")
    refused(tmp_path, "plant001_fg.png", "20 x 31 pixels", use=lambda root: find_plants(root)[0].foreground())


def test_the_unpacked_archive_is_searched_for_a1(tmp_path, image, labels):
    archive = tmp_path / "CVPPP2017_LSC_training" / "training"
    write_pngs(archive / "A1", "plant017", image, labels)
    write_pngs(archive / "A2", "plant018", image, labels)
    copied = tmp_path / "__MACOSX" / "training" / "A1"
    copied.mkdir(parents=True)
    (copied / "._plant017_rgb.png").write_bytes(b"left by a file manager")
    for root in (tmp_path, archive.parent, archive, archive / "A1"):
        assert [plant.name for plant in find_plants(root)] == ["plant017"]
    write_pngs(tmp_path / "CVPPP2017_testing" / "testing" / "A1", "plant019", image, labels)
    refused(tmp_path, str(archive / "A1"), str(tmp_path / "CVPPP2017_testing" / "testing" / "A1"))


def test_real_plants_have_the_leaves_and_the_foreground_that_their_files_say(test_data):
    root = test_data / "leaves" / "CVPPP-A1"
    if not root.is_dir():
        pytest.skip("real leaves are absent: put CVPPP A1 into leaves/CVPPP-A1 of COSEMBED_TEST_DATA")
    plants = find_plants(root)
    assert len(plants) == 9
    for plant in plants:
        image, leaves = plant.image(), plant.labels()
        assert image.shape == (*leaves.shape, 3) and leaves.shape == (530, 500)
        numbers = np.unique(leaves)
        np.testing.assert_array_equal(numbers, np.arange(len(numbers)))
        assert 11 <= numbers[-1] <= 18
        np.testing.assert_array_equal(leaves > 0, plant.foreground())
        # Leaves are green, pot and soil are not; this fails where labels lie elsewhere than the plant.
        green = image[..., 1].astype(int) - image[..., 0]
        assert green[leaves > 0].mean() > 20 > green[leaves == 0].mean()


def test_every_kind_of_image_becomes_three_bytes_per_pixel(tmp_path, image, labels):
    write_pngs(tmp_path, "plant001", image, labels)
    path = tmp_path / "plant001_rgb.png"
    (plant,) = find_plants(tmp_path)
    grey = np.repeat(image[..., :1], 3, axis=-1)
    alpha = np.dstack([image, image[..., 0]])
    pair = Image.merge("LA", [Image.fromarray(image[..., channel].copy()) for channel in (0, 1)])
    palette = Image.fromarray(image).quantize(16)
    for picture, expected in (
        (Image.fromarray(alpha), image),
        (Image.fromarray(image[..., 0].copy()), grey),
        (pair, grey),
        (Image.fromarray(image[..., 0].astype(np.uint16) * 257), grey),
        (palette, np.asarray(palette.convert("RGB"))),
    ):
        picture.save(path)
        np.testing.assert_array_equal(plant.image(), expected)
    palette.save(path, transparency=bytes(range(16)))
    np.testing.assert_array_equal(plant.image(), np.asarray(palette.convert("RGB")))


def test_hdf5_in_one_file_is_found_directly_and_in_its_folder(tmp_path, image, labels):
    path = tmp_path / "leaves.h5"
    alpha = np.dstack([image, image[..., 0]])
    other = {"A2/plant009/rgb": image, "A1/plant001/label_filename": "plant001_label.png"}
    grey = {"A1/plant002/rgb": image[..., 0], "A1/plant002/label": labels.astype(np.int64)}
    write_hdf5(
        path, {"A1/plant001/rgb": alpha, "A1/plant001/label": labels.astype(np.uint8), **grey, **other}
    )
    for root in (path, tmp_path):
        first, second = find_plants(root)
        assert (first.name, second.name) == ("plant001", "plant002")
        np.testing.assert_array_equal(first.image(), image)
        np.testing.assert_array_equal(second.image(), np.repeat(image[..., :1], 3, axis=-1))
        for plant in (first, second):
            np.testing.assert_array_equal(plant.labels(), labels)
            assert plant.labels().dtype == np.uint16


def test_hdf5_truth_may_be_in_the_file_beside(tmp_path, image, labels):
    write_hdf5(tmp_path / "CVPPP2017_training_images.h5", {"A1/plant001/rgb": image})
    write_hdf5(tmp_path / "CVPPP2017_training_truth.h5", {"A1/plant001/label": labels})
    for root in (tmp_path, tmp_path / "CVPPP2017_training_images.h5"):
        (plant,) = find_plants(root)
        np.testing.assert_array_equal(plant.image(), image)
        np.testing.assert_array_equal(plant.labels(), labels)


def test_test_images_come_without_labels(tmp_path, image, labels):
    write_pngs(tmp_path / "A1", "plant003", image, labels)
    (tmp_path / "A1" / "plant003_label.png").unlink()
    write_hdf5(tmp_path / "test.h5", {"A1/plant003/rgb": image})
    for root in (tmp_path, tmp_path / "test.h5"):
        (plant,) = find_plants(root)
        assert not plant.has_labels
        np.testing.assert_array_equal(plant.image(), image)
        with pytest.raises(DataError, match=r"plant003.* has no labels"):
            plant.labels()


def refused(root, *fragments, use=find_plants):
    """The call ends in one sentence that holds all fragments."""
    with pytest.raises(DataError) as caught:
        use(root)
    for fragment in fragments:
        assert fragment in str(caught.value)
    assert "\n" not in str(caught.value)


def read_labels(root):
    find_plants(root)[0].labels()


def read_image(root):
    find_plants(root)[0].image()


def test_a_place_without_plants_is_named(tmp_path):
    refused(tmp_path / "absent", "absent", "does not exist")
    refused(tmp_path, str(tmp_path), "holds no plants")
    (tmp_path / "notes.txt").write_text("no plants")
    refused(tmp_path / "notes.txt", "notes.txt", "not an HDF5 file")
    write_hdf5(tmp_path / "a.h5", {"A2/plant001/rgb": np.zeros((4, 4, 3), np.uint8)})
    refused(tmp_path, "a.h5", "holds no plants")
    write_hdf5(tmp_path / "b.h5", {})
    refused(tmp_path, "a.h5", "b.h5", "several")


@pytest.mark.parametrize("absent", ["rgb", "label"])
def test_a_missing_partner_is_named(absent, tmp_path, image, labels):
    for name in ("plant001", "plant002"):
        write_pngs(tmp_path / "A1", name, image, labels)
    (tmp_path / "A1" / f"plant002_{absent}.png").unlink()
    refused(tmp_path, f"plant002_{absent}.png is missing")
    parts = {f"A1/{name}/{part}": labels for name in ("plant001", "plant002") for part in ("rgb", "label")}
    del parts[f"A1/plant002/{absent}"]
    write_hdf5(tmp_path / "leaves.h5", parts)
    refused(tmp_path / "leaves.h5", "leaves.h5", f"A1/plant002/{absent} is missing")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda image, labels: (image, labels[:-1]), "31 x 19 pixels"),
        (lambda image, labels: (image, labels * 0), "holds no leaf"),
        (lambda image, labels: (image, image), "is a colour image"),
    ],
)
def test_labels_that_cannot_be_meant_are_refused(make, reason, tmp_path, image, labels):
    image, wrong = make(image, labels)
    write_pngs(tmp_path, "plant001", image, labels)
    picture = Image.fromarray(wrong) if wrong.ndim == 3 else palette_image(wrong)
    picture.save(tmp_path / "plant001_label.png")
    refused(tmp_path, "plant001_label.png", reason, use=read_labels)
    write_hdf5(tmp_path / "leaves.h5", {"A1/plant001/rgb": image, "A1/plant001/label": wrong})
    refused(tmp_path / "leaves.h5", "leaves.h5, A1/plant001/label", reason, use=read_labels)


@pytest.mark.parametrize("value", [-1, 65536])
def test_hdf5_labels_beyond_16_bits_are_refused(value, tmp_path, image, labels):
    write_hdf5(tmp_path / "leaves.h5", {"A1/p/rgb": image, "A1/p/label": np.where(labels == 7, value, 0)})
    refused(tmp_path, "leaves.h5, A1/p/label", "outside 0..65535", use=read_labels)


@pytest.mark.parametrize("part", ["rgb", "label"])
def test_damaged_pngs_are_refused(part, tmp_path, image, labels):
    write_pngs(tmp_path, "plant001", image, labels)
    use = read_image if part == "rgb" else read_labels
    path = tmp_path / f"plant001_{part}.png"
    whole = path.read_bytes()
    for content in (
        whole[: len(whole) * 2 // 3],
        whole[:12],
        b"",
        b"GIF89a" + bytes(40),
        whole[:8] + bytes(60),
    ):
        path.write_bytes(content)
        refused(tmp_path, path.name, "cannot be read", use=use)


def test_damaged_hdf5_is_refused(tmp_path, image):
    path = tmp_path / "leaves.h5"
    write_hdf5(path, {"A1/plant001/rgb": image})
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"garbage" * 50):
        path.write_bytes(content)
        refused(tmp_path, "leaves.h5", "cannot be read")


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 3), np.int64), np.zeros((4, 4, 9), "u1")]
)
def test_hdf5_arrays_that_are_no_image_are_refused(pixels, tmp_path):
    write_hdf5(tmp_path / "leaves.h5", {"A1/plant001/rgb": pixels})
    refused(tmp_path, "leaves.h5, A1/plant001/rgb", "save", use=read_image)


def test_huge_images_are_refused_before_they_are_decoded(tmp_path, image, labels):
    write_pngs(tmp_path, "plant001", image, labels)
    for part, use in (("rgb", read_image), ("label", read_labels)):
        (tmp_path / f"plant001_{part}.png").write_bytes(png_header(20_000, 7_000))
        refused(tmp_path, f"plant001_{part}.png", "7000 x 20000", "512 MB", use=use)
    with h5py.File(tmp_path / "leaves.h5", "w") as file:
        file.create_dataset("A1/plant001/rgb", (10**6, 10**6, 3), np.uint8, chunks=(64, 64, 3))
    refused(tmp_path / "leaves.h5", "leaves.h5, A1/plant001/rgb", "512 MB", use=read_image)


def test_a_large_image_that_is_allowed_gives_no_warning_of_pillow(tmp_path, image, labels):
    # 95 megapixels: above Pillow's own threshold of 89. Its absent pixels are the only complaint.
    write_pngs(tmp_path, "plant001", image, labels)
    (tmp_path / "plant001_rgb.png").write_bytes(png_header(10_000, 9_500))
    refused(tmp_path, "plant001_rgb.png", "cannot be read", use=read_image)
    refused(tmp_path, "plant001_label.png", "10000 x 9500", use=read_labels)
