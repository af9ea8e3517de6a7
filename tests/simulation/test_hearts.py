"""Simulated hearts beat as hearts do, differ from each other, and are read back as written."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage, stats

from cosembed.datasets.heart.acdc import read_acdc
from cosembed.datasets.heart.slices import CAVITY as READ_CAVITY
from cosembed.datasets.heart.slices import MYOCARDIUM as READ_MYOCARDIUM
from cosembed.errors import InputError, OutputError
from cosembed.simulation.heart_anatomy import GROUPS, SLICES, contraction_curve, draw_heart
from cosembed.simulation.heart_rendering import (
    BRIGHTNESS,
    draw_scanner,
    render_frame,
    render_labels,
    view_slice,
)
from cosembed.simulation.hearts import simulate_heart, write_hearts

BACKGROUND, RIGHT, MYOCARDIUM, CAVITY = range(4)
FRAMES, SIZE = 12, 96
MIDDLE = SLICES // 2


@pytest.fixture(scope="module")
def scans():
    """Fifteen patients, three of each group."""
    return [simulate_heart(FRAMES, SIZE, 1.0, seed=3, patient=number) for number in range(1, 16)]


def areas(scan, label, position=MIDDLE):
    return (scan.labels[:, position] == label).sum(axis=(1, 2)).astype(float)


def ejection(scan):
    cavity = areas(scan, CAVITY)
    return 1 - cavity.min() / cavity[0]


def of_group(scans, group):
    return [scan for scan in scans if scan.group == group]


def test_shapes_types_and_groups(scans):
    for scan in scans:
        assert (scan.video.shape, scan.video.dtype) == ((FRAMES, SLICES, SIZE, SIZE), np.int16)
        assert (scan.labels.shape, scan.labels.dtype) == (scan.video.shape, np.uint8)
        assert scan.video.min() >= 0
    assert [scan.group for scan in scans] == [*GROUPS] * 3


def test_the_cavity_is_full_at_first_and_smallest_after_a_third_of_the_beat(scans):
    for scan in scans:
        cavity = areas(scan, CAVITY)
        assert cavity.argmax() == 0
        assert 0.25 * FRAMES < scan.smallest < 0.5 * FRAMES
        assert cavity[scan.smallest] <= 1.02 * cavity.min()


def test_contraction_rises_falls_and_ends_where_it_began():
    heart = draw_heart("NOR", 1.0, np.random.default_rng(0))
    phases = np.linspace(0, 1, 400)
    curve = contraction_curve(heart)(phases)
    assert curve[0] == pytest.approx(0, abs=1e-12) == pytest.approx(curve[-1], abs=1e-12)
    assert curve.max() == pytest.approx(1, abs=1e-3)
    peak = curve.argmax()
    assert phases[peak] == pytest.approx(heart.systole, abs=0.01)
    assert (np.diff(curve[: peak + 1]) >= 0).all()
    assert (np.diff(curve[peak:]) <= 0).all()


def test_the_wall_lies_around_the_cavity_without_a_gap(scans):
    for scan in scans[:5]:
        for labels in scan.labels[:, :4].reshape(-1, SIZE, SIZE):
            around = ndimage.binary_dilation(labels == CAVITY, np.ones((3, 3))) & (labels != CAVITY)
            assert set(np.unique(labels[around])) == {MYOCARDIUM}
            assert ndimage.label(labels == CAVITY)[1] == 1
            assert ndimage.label(labels == MYOCARDIUM)[1] == 1


def test_the_wall_keeps_its_volume_and_so_gets_thicker(scans):
    for scan in scans:
        wall, cavity = areas(scan, MYOCARDIUM), areas(scan, CAVITY)
        assert 1.0 < wall[scan.smallest] / wall[0] < 1.35

        def thickness(frame, wall=wall, cavity=cavity):
            return np.sqrt((wall[frame] + cavity[frame]) / np.pi) - np.sqrt(cavity[frame] / np.pi)

        assert thickness(scan.smallest) > 1.05 * thickness(0)


def test_the_heart_narrows_towards_the_apex(scans):
    for scan in scans:
        full = [areas(scan, CAVITY, position)[0] for position in range(SLICES)]
        assert full == sorted(full, reverse=True)
        assert areas(scan, RIGHT, 0)[0] > areas(scan, RIGHT, SLICES - 1)[0] > 0


def test_groups_differ_as_their_names_say(scans):
    cavity = {group: np.mean([areas(scan, CAVITY)[0] for scan in of_group(scans, group)]) for group in GROUPS}
    wall = {
        group: np.mean([areas(scan, MYOCARDIUM)[0] for scan in of_group(scans, group)]) for group in GROUPS
    }
    right = {group: np.mean([areas(scan, RIGHT)[0] for scan in of_group(scans, group)]) for group in GROUPS}
    pumped = {group: np.mean([ejection(scan) for scan in of_group(scans, group)]) for group in GROUPS}
    assert cavity["DCM"] > 1.3 * cavity["NOR"]
    assert wall["HCM"] > 1.3 * wall["NOR"]
    assert right["RV"] > 1.2 * right["NOR"]
    assert pumped["DCM"] < 0.4 < 0.45 < pumped["NOR"]
    assert pumped["MINF"] < pumped["NOR"] < pumped["HCM"]


def test_after_an_infarct_a_part_of_the_wall_stands_still(scans):
    def least_motion(scan):
        """Smallest inward motion of the cavity's rim among eight sectors, as a share of the largest."""
        full, small = (scan.labels[frame, MIDDLE] == CAVITY for frame in (0, scan.smallest))
        rows, columns = np.indices(full.shape) - np.array(ndimage.center_of_mass(full))[:, None, None]
        sector = ((np.arctan2(rows, columns) + np.pi) / (2 * np.pi) * 8).astype(int) % 8
        lost = np.bincount(sector[full & ~small], minlength=8) / np.bincount(sector[full], minlength=8)
        return lost.min() / lost.max()

    infarcted = [least_motion(scan) for scan in of_group(scans, "MINF")]
    normal = [least_motion(scan) for scan in of_group(scans, "NOR")]
    assert np.mean(infarcted) < 0.6 * np.mean(normal)


def test_patients_differ(scans):
    masks = [scan.labels[0, MIDDLE] for scan in scans]
    for number, first in enumerate(masks):
        for second in masks[number + 1 :]:
            assert (first != second).mean() > 0.01


def test_breathing_moves_the_heart_from_frame_to_frame_and_difficulty_0_has_none():
    def centres(difficulty):
        """The cavity's middle, [T, slice, 2]; the beat's own motion is the same at every difficulty."""
        scan = simulate_heart(FRAMES, SIZE, difficulty, seed=3, patient=1)
        return np.array([[ndimage.center_of_mass(z == CAVITY) for z in frame] for frame in scan.labels])

    still, breathing = centres(0.0), centres(2.0)
    assert np.ptp(still[0], axis=0).max() < 0.5
    moved = breathing - still
    assert np.ptp(moved[:, :, 0], axis=0).max() > 1.0
    # Slices were taken at other moments of a breath.
    assert np.ptp(moved[0, :, 0]) > 0.5


def test_blood_is_brighter_than_the_wall_but_noise_hides_it_in_a_single_frame():
    def error(difficulty, frames):
        """How often a wall's pixel is brighter than one of the cavity, in the mean of so many frames.

        The pixels are those that are the same tissue in three frames.
        """
        rates = []
        for patient in range(1, 11):
            scan = simulate_heart(FRAMES, SIZE, difficulty, seed=3, patient=patient)
            still, image = scan.labels[:3, MIDDLE], scan.video[:frames, MIDDLE].mean(axis=0)
            wall, blood = (image[(still == label).all(axis=0)] for label in (MYOCARDIUM, CAVITY))
            rates.append(stats.mannwhitneyu(wall, blood).statistic / (wall.size * blood.size))
        return np.mean(rates)

    clear, alone, together = error(0.0, 1), error(1.0, 1), error(1.0, 3)
    assert clear < 0.03
    assert 0.06 < alone < 0.15
    assert together < 0.75 * alone


def test_noise_is_new_in_every_frame_and_has_the_law_of_a_magnitude():
    heart = draw_heart("NOR", 0.0, np.random.default_rng(1))
    scanner = draw_scanner(SIZE, 1.0, np.random.default_rng(2))
    empty = scanner._replace(
        background=np.zeros((SIZE, SIZE)), chest=np.zeros((2, SIZE, SIZE)), coils=np.ones((SIZE, SIZE))
    )
    generator = np.random.default_rng(3)
    view = view_slice(heart, MIDDLE, 0.0, SIZE)
    frames = np.array([render_frame(heart, empty, view, generator) for _ in range(4)], float)
    # The image's lower edge: nothing but noise.
    frames = frames[:, -10:].reshape(4, -1)
    assert np.abs(np.corrcoef(frames) - np.eye(4)).max() < 0.1
    # The mean of a Rayleigh distribution is sqrt(pi / 2) of a channel's deviation.
    assert frames.mean() == pytest.approx(np.sqrt(np.pi / 2) * BRIGHTNESS * scanner.noise, rel=0.05)
    assert frames.std() == pytest.approx(np.sqrt(2 - np.pi / 2) * BRIGHTNESS * scanner.noise, rel=0.05)


@pytest.fixture(scope="module")
def plain():
    """A heart and a scanner that shows it without noise, fat, and uneven coils, each tissue alike."""
    heart = draw_heart("NOR", 0.0, np.random.default_rng(5))
    scanner = draw_scanner(SIZE, 0.0, np.random.default_rng(6))._replace(
        background=np.zeros((SIZE, SIZE)),
        chest=np.zeros((2, SIZE, SIZE)),
        fat=np.zeros(360),
        trabeculae=np.zeros(360),
        coils=np.ones((SIZE, SIZE)),
    )
    return heart, scanner


@pytest.mark.parametrize("phase", [0.0, 0.35])
def test_the_image_shows_the_wall_where_the_labels_say(plain, phase):
    heart, scanner = plain
    view = view_slice(heart, MIDDLE, phase, SIZE)
    image = render_frame(heart, scanner, view, np.random.default_rng(0)) / BRIGHTNESS
    labels = render_labels(view)
    wall = ndimage.binary_erosion(labels == MYOCARDIUM, np.ones((3, 3)))
    assert wall.sum() > 100
    assert image[wall] == pytest.approx(scanner.muscle, abs=0.08)
    right = ndimage.binary_erosion(labels == RIGHT, np.ones((3, 3)), iterations=2)
    assert image[right].min() > 0.9
    # Away from the right ventricle, nothing lies around the wall: half of the signal is reached at its edge.
    lateral = np.cos(view.angles - heart.septum) < -0.5
    outside = ndimage.distance_transform_edt(np.isin(labels, [BACKGROUND, RIGHT]))
    assert image[lateral & (outside > 1.5)].max() < 0.25 * scanner.muscle
    bright = lateral & (image > 0.5 * scanner.muscle)
    own = lateral & np.isin(labels, [MYOCARDIUM, CAVITY])
    assert (bright ^ own).sum() < 0.03 * own.sum()


def test_papillary_muscles_are_dark_and_belong_to_the_cavity(plain):
    heart, scanner = plain
    shares = []
    for position in range(SLICES):
        view = view_slice(heart, position, 0.0, SIZE)
        image = render_frame(heart, scanner, view, np.random.default_rng(0)) / BRIGHTNESS
        cavity = render_labels(view) == CAVITY
        inside = cavity & (view.distance < 0.85 * view.walls.inner)
        shares.append((image[inside] < 0.6).mean())
    assert shares[MIDDLE] > 0.015
    assert shares[MIDDLE] > 2 * max(shares[0], shares[-1])


def test_flowing_blood_loses_signal_most_while_it_streams_but_never_all(plain):
    heart, scanner = plain
    flowing = scanner._replace(flow=0.35 * 3)
    lost = {}
    for name, phase in (("still", 0.8), ("streaming", 0.18)):
        view = view_slice(heart, 0, phase, SIZE)
        core = view.distance < 0.5 * view.walls.inner
        frames = [render_frame(heart, flowing, view, np.random.default_rng(seed)) for seed in range(20)]
        blood = np.array([frame[core] for frame in frames]) / BRIGHTNESS
        assert blood.min() > 0.12
        lost[name] = 1 - blood.mean()
    assert lost["streaming"] > 1.5 * lost["still"]


def test_an_unknown_group_is_not_taken_for_a_normal_heart():
    with pytest.raises(KeyError):
        draw_heart("ARV", 1.0, np.random.default_rng(0))


def test_the_coils_are_uneven_and_the_same_in_all_frames():
    scan = simulate_heart(6, SIZE, 0.0, seed=3, patient=2)
    blood = [scan.video[t, 0][scan.labels[t, 0] == CAVITY] for t in range(6)]
    assert all(np.percentile(values, 95) > 1.05 * np.percentile(values, 50) for values in blood)
    still = (scan.labels[:, 0] == BACKGROUND).all(axis=0)
    still = ndimage.binary_erosion(still, iterations=12)
    assert np.ptp(scan.video[:, 0].astype(int), axis=0)[still].max() == 0


def test_a_seed_gives_the_same_patient_and_another_seed_another_one():
    first, again, other = (simulate_heart(4, 64, 1.0, seed, 2) for seed in (1, 1, 2))
    assert np.array_equal(first.video, again.video)
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.labels, other.labels)


def test_written_patients_are_read_back_with_labels_in_every_frame(tmp_path):
    write_hearts(tmp_path / "hearts", patients=2, frames=6, size=64, seed=4)
    slices = read_acdc(tmp_path / "hearts", SLICES)
    assert len(slices) == 2 * SLICES
    for item in slices:
        scan = simulate_heart(6, 64, 1.0, 4, int(item.patient[-3:]))
        assert np.array_equal(item.frames, scan.video[:, item.index])
        assert item.labelled.all()
        own = scan.labels[:, item.index]
        assert np.array_equal(item.labels == READ_CAVITY, own == CAVITY)
        assert np.array_equal(item.labels == READ_MYOCARDIUM, own == MYOCARDIUM)
    info = (tmp_path / "hearts/patient002/Info.cfg").read_text()
    assert info == f"ED: 1\nES: {simulate_heart(6, 64, 1.0, 4, 2).smallest + 1}\nGroup: DCM\nNbFrame: 6\n"


def test_the_same_values_give_the_same_files_and_fewer_patients_the_first_ones(tmp_path):
    write_hearts(tmp_path / "a", patients=2, frames=3, size=48, seed=9)
    write_hearts(tmp_path / "b", patients=1, frames=3, size=48, seed=9)
    first = {path.relative_to(tmp_path / "a"): path.read_bytes() for path in (tmp_path / "a").rglob("*.*")}
    second = {path.relative_to(tmp_path / "b"): path.read_bytes() for path in (tmp_path / "b").rglob("*.*")}
    assert len(second) == 5
    assert second.items() <= first.items()


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"patients": 0}, "--patients=0"),
        ({"frames": 1}, "--frames=1"),
        ({"frames": 100}, "--frames=100"),
        ({"size": 20}, "--size=20"),
        ({"difficulty": -1}, "--difficulty=-1"),
        ({"seed": -1}, "--seed=-1"),
    ],
)
def test_values_out_of_range_are_refused_and_nothing_is_written(tmp_path, change, flag):
    values = {"patients": 1, "frames": 4, "size": 64, "seed": 1} | change
    with pytest.raises(InputError, match=flag):
        write_hearts(tmp_path / "hearts", **values)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_kept(tmp_path):
    (tmp_path / "patient001").mkdir()
    with pytest.raises(OutputError):
        write_hearts(tmp_path, patients=1, frames=2, size=48, seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["patient001"]


def test_the_command_writes_hearts(tmp_path):
    command = [sys.executable, "-m", "cosembed", "simulate", "--kind=hearts", f"--output={tmp_path / 'h'}"]
    values = ["--patients=2", "--frames=3", "--size=48", "--seed=2"]
    done = subprocess.run([*command, *values], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{tmp_path / 'h'}: 2 patients, 3 frames each"
    assert len(read_acdc(tmp_path / "h", 3)) == 6


@pytest.mark.parametrize(
    "flags", [("hearts", "--look=phase"), ("leaves", "--difficulty=1.0"), ("cells", "--patients=3")]
)
def test_a_flag_of_another_kind_is_refused(tmp_path, flags):
    kind, flag = flags
    command = [sys.executable, "-m", "cosembed", "simulate", f"--kind={kind}", f"--output={tmp_path / 'h'}"]
    done = subprocess.run([*command, flag], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {flag}: is not for {kind}; leave it out\n"
    assert not (tmp_path / "h").exists()
