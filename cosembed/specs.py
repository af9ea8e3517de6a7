"""Every value of an experiment, typed and frozen, and how it is put together. Knows no TensorFlow and reads no images.

A spec is resolved in this order, later over earlier: `data_specs/_defaults.yaml` (what the paper states), the data set's
own file, the recipe, the profile, scaling from 256 network pixels to the profile's image size, and `--set key=value`.
Files hold values at 256 network pixels; a resolved spec holds final values.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from cosembed.errors import SpecError
from cosembed.strict import bounded, check, flatten, from_mapping, merge, to_mapping

REFERENCE_SIZE = 256
RECIPES = ("paper", "released")
PROFILE_KEYS = frozenset(
    {
        "network.image_size",
        "network.levels",
        "network.filters",
        "network.outputs",
        "training.clip_length",
        "training.iterations",
        "training.learning_rate",
        "training.gradient_clip",
        "instances.maximum",
    }
)


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """Where a data set comes from and how its truth is to be read.

    Attributes:
        name: The folder's name, for example `DIC-C2DH-HeLa`.
        paper_name: The name in the paper's tables.
        archive: The zip file's path below the download base URL; empty if the data set is not downloaded.
        licence: One sentence on the terms of use.
        videos: The annotated videos.
        tra_masks: `markers` if TRA labels only mark cells, `full` if they are complete masks.
        complete_frames: Per video, the frames in which every cell is segmented, as far as known.
        loss_border: Width of the border without a reliable truth, in original pixels.
        image_shape: Height and width of the original images (of the larger, where videos differ).
    """

    name: str
    paper_name: str
    archive: str
    licence: str
    videos: tuple[str, ...]
    tra_masks: Literal["markers", "full"]
    complete_frames: dict[str, tuple[int, ...]]
    loss_border: int = bounded(0)
    image_shape: tuple[int, int] = bounded(1)


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """The stacked hourglass network (paper section 2.1). `image_size` is the side of the square network input; `variant` as
    in `StackedHourglass`."""

    image_size: int = bounded(8, 4096)
    channels: int = bounded(1, 16)
    levels: int = bounded(1, 10)
    filters: int = bounded(1, 1024)
    outputs: int = bounded(1, 256)
    recurrent: bool
    variant: Literal["miccai2018", "mia2019"] = "miccai2018"


@dataclass(frozen=True, kw_only=True)
class PreprocessingSpec:
    """What happens to every frame before augmentation, in training and testing alike (paper appendix 6).

    Attributes:
        smoothing_sigma: Gaussian smoothing, in original pixels.
        lower_percentile: The percentile mapped to -1.
        upper_percentile: The percentile mapped to 1.
        crop: Pixels removed at each side of training frames, in original pixels; the released code does not crop at test.
        padding: What lies outside the image: `mirror` (by half the image on each side) or `constant` (-1).
        test_zoom: Part of the image that is kept at test time; 0.95 cuts 2.5 % at each side.
        label_smoothing: Sigma of the per-label Gaussian on training labels, in network pixels; 0 is off.
    """

    smoothing_sigma: float = bounded(0, 100)
    lower_percentile: float = bounded(0, 100)
    upper_percentile: float = bounded(0, 100)
    crop: int = bounded(0)
    padding: Literal["mirror", "constant"]
    test_zoom: float = bounded(0, 1, above=True)
    label_smoothing: float = bounded(0, 100)


@dataclass(frozen=True, kw_only=True)
class AugmentationSpec:
    """Half-widths of the uniform distributions that augmentation draws from (paper appendix 6). Lengths are in network pixels.

    Attributes:
        shift: Added to a clip's intensities, U(-shift, shift).
        scale: A clip's intensities are multiplied by U(1 - scale, 1 + scale).
        gamma: Exponent U(1 - gamma, 1 + gamma) on the clip rescaled to 0..1 (released code only).
        frame_shift: As `shift`, per frame (released code only).
        frame_scale: As `scale`, per frame (released code only).
        translation: Per axis.
        flip: Probability of a flip, per axis.
        rotation: Degrees.
        zoom: Per axis, factor U(1 - zoom, 1 + zoom).
        elastic_grid: Control points per axis of the third-order spline; 0 is off.
        elastic_amplitude: Movement of each control point, per axis.
        drift: Movement per axis over the whole clip, growing linearly (released code only).
        jiggle: Extra movement per frame and axis (released code only).
    """

    shift: float = bounded(0, 10)
    scale: float = bounded(0, 1)
    gamma: float = bounded(0, 0.99)
    frame_shift: float = bounded(0, 10)
    frame_scale: float = bounded(0, 1)
    translation: float = bounded(0)
    flip: float = bounded(0, 1)
    rotation: float = bounded(0, 180)
    zoom: float = bounded(0, 0.99)
    elastic_grid: int = bounded(0, 64)
    elastic_amplitude: float = bounded(0)
    drift: float = bounded(0)
    jiggle: float = bounded(0)


@dataclass(frozen=True, kw_only=True)
class InstancesSpec:
    """Which pixels the loss compares (paper section 2.2).

    Attributes:
        neighbour_radius: r_N, in network pixels.
        neighbours: `mask_distance`: instances whose masks come within r_N of the instance's mask in some frame;
            `centre_circle`: instances with a pixel, in any frame, inside the circle of radius r_N around the instance's
            centre of mass over the clip.
        maximum: Instances per clip; more are left out at random (the background is not counted).
        background: `instance`: one more instance in the same mean; `term`: a second loss term of weight 1.
    """

    neighbour_radius: float = bounded(0)
    neighbours: Literal["mask_distance", "centre_circle"]
    maximum: int = bounded(1, 1024)
    background: Literal["instance", "term"]


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """Optimisation (paper appendix 5). The learning rate drops tenfold after half of the iterations.

    Attributes:
        optimizer: `adam`, or `nadam`: Adam with Nesterov momentum as in the released training graphs.
        weight_decay: Factor of sum(w^2) / 2 over all kernels.
        gradient_clip: Global norm to clip gradients to; 0 is off.
        clip_length: Consecutive frames per clip.
        seed: Of the weights and of every clip.
        checkpoint_every: Iterations between checkpoints.
    """

    optimizer: Literal["adam", "nadam"]
    iterations: int = bounded(1)
    learning_rate: float = bounded(0, 1, above=True)
    weight_decay: float = bounded(0, 1)
    gradient_clip: float = bounded(0)
    batch_size: int = bounded(1, 1024)
    clip_length: int = bounded(1, 1024)
    seed: int = bounded(0, 2**31 - 1)
    checkpoint_every: int = bounded(1)


@dataclass(frozen=True, kw_only=True)
class TrackingSpec:
    """Clustering, stitching and lineage (paper section 2.3 and appendix 7). Final values, in network pixels.

    Attributes:
        min_points: m_pts, HDBSCAN's `min_samples`, and m_clSize, its `min_cluster_size`; components with fewer than
            m_pts / 2 pixels over both frames of a pair are dropped.
        coordinate_factor: c, by which pixel coordinates are multiplied before they join the embedding.
        border: (y, x); a label lying wholly inside this border is erased in that frame.
        parent_dilation: Diameter of the disc that dilates a new label before its parent is sought; 0 is off.
        parent_frames: How many frames are searched back for a parent.
        mode: HDBSCAN on every pixel (`exact`), on a pixel grid (`fast`), or `auto`: fast from 100 points on.
        background_similarity: Dot product with the background embedding from which on a pixel or cluster is background.
        merge_iou: Least IoU at which labels of overlapping frame pairs are the same instance.
        parent_iou: IoU that a parent must exceed.
    """

    min_points: int = bounded(2)
    coordinate_factor: float = bounded(0)
    border: tuple[int, int] = bounded(0)
    parent_dilation: int = bounded(0)
    parent_frames: int = bounded(1)
    mode: Literal["auto", "exact", "fast"] = "auto"
    background_similarity: float = bounded(-1, 1, default=0.95)
    merge_iou: float = bounded(0, 1, default=0.25)
    parent_iou: float = bounded(0, 1, default=0.01)

    def __post_init__(self) -> None:
        check(self)
        if self.parent_dilation and self.parent_dilation % 2 == 0:
            raise SpecError(f"tracking.parent_dilation is {self.parent_dilation}; choose an odd diameter, or 0 for none")

    @property
    def size_threshold(self) -> float:
        """Least number of pixels of a component, over both frames of a pair."""
        return self.min_points / 2


@dataclass(frozen=True, kw_only=True)
class UpsamplingSpec:
    """From network labels to the original image. `sigma` is in original pixels.

    `nearest_gaussian`: nearest neighbour, then a Gaussian of every label's mask and arg-max; `label_gaussian`: ITK's
    label-Gaussian interpolation, no smoothing.
    """

    method: Literal["nearest_gaussian", "label_gaussian"]
    sigma: float = bounded(0, 100)


@dataclass(frozen=True, kw_only=True)
class ExperimentSpec:
    """Everything that decides the outcome of a run; written to the run folder as `spec.yaml`."""

    recipe: Literal["paper", "released"]
    profile: str
    dataset: DatasetSpec
    network: NetworkSpec
    preprocessing: PreprocessingSpec
    augmentation: AugmentationSpec
    instances: InstancesSpec
    training: TrainingSpec
    tracking: TrackingSpec
    upsampling: UpsamplingSpec


def dataset_names() -> list[str]:
    """Names of the data sets that have a file in `data_specs`."""
    return sorted(entry.name[:-5] for entry in _folder().iterdir() if entry.name.endswith(".yaml") and entry.name[0] != "_")


def resolve(dataset: str, recipe: str = "paper", profile: str = "paper", overrides: Iterable[str] = ()) -> ExperimentSpec:
    """Puts the spec of one experiment together.

    Args:
        dataset: A name of `dataset_names()`.
        recipe: `paper` or `released`.
        profile: A name in `data_specs/_profiles.yaml`.
        overrides: `key=value` texts with dotted keys and YAML values; they set final values.

    Raises:
        SpecError: An unknown data set, recipe, profile or key, or a value out of range.
    """
    if dataset not in dataset_names():
        raise SpecError(f"--dataset: unknown data set '{dataset}'; known: {', '.join(dataset_names())}")
    if recipe not in RECIPES:
        raise SpecError(f"--recipe: unknown recipe '{recipe}'; choose one of {', '.join(RECIPES)}")
    own = _read(f"{dataset}.yaml")
    recipes, profiles = own.pop("recipes", {}), own.pop("profiles", {})
    mapping = merge(_read("_defaults.yaml"), own)
    mapping = merge(mapping, merge(_read("_recipes.yaml").get(recipe, {}), recipes.get(recipe, {})))
    mapping = merge(mapping, _profile(profile, dataset, profiles))
    mapping = _scale(mapping)
    mapping = merge(mapping, {"recipe": recipe, "profile": profile})
    spec = from_mapping(ExperimentSpec, mapping, f"data_specs/{dataset}.yaml")
    return override(spec, overrides)


def override(spec: ExperimentSpec, overrides: Iterable[str]) -> ExperimentSpec:
    """`spec` with `key=value` texts applied, for example `training.iterations=2000`."""
    mapping = to_mapping(spec)
    for text in overrides:
        key, separator, value = text.partition("=")
        if not separator:
            raise SpecError(f"--set {text}: write key=value, for example training.iterations=2000")
        *groups, name = key.strip().split(".")
        below = mapping
        for group in groups:
            below = below.get(group, {}) if isinstance(below, dict) else {}
        if not isinstance(below, dict) or (name not in below and groups[:2] != ["dataset", "complete_frames"]):
            known = ", ".join(sorted(flatten(to_mapping(spec))))
            raise SpecError(f"--set {text}: unknown key '{key}'; known keys: {known}")
        try:
            below[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise SpecError(f"--set {text}: the value is not YAML; write a number, a word or a [list]") from error
    return from_mapping(ExperimentSpec, mapping, "--set")


def load(path: Path) -> ExperimentSpec:
    """Reads a resolved spec (`spec.yaml` of a run folder)."""
    return from_mapping(ExperimentSpec, _parse(path.read_bytes, str(path)), str(path))


def dump(spec: ExperimentSpec) -> str:
    """A resolved spec as YAML text; `load` reads it back equal."""
    return yaml.safe_dump(to_mapping(spec), sort_keys=False, width=120)


def deviations(spec: ExperimentSpec) -> list[tuple[str, Any, Any]]:
    """Where a spec differs from the same data set and recipe at the profile `paper`: (key, paper's value, ours)."""
    ours, theirs = (flatten(to_mapping(s)) for s in (spec, resolve(spec.dataset.name, spec.recipe, "paper")))
    return [(key, theirs.get(key), value) for key, value in ours.items() if key != "profile" and theirs.get(key) != value]


def _profile(profile: str, dataset: str, own: Mapping[str, Any]) -> dict[str, Any]:
    common = _read("_profiles.yaml")
    if profile not in common and profile not in own:
        raise SpecError(f"--profile: unknown profile '{profile}'; choose one of {', '.join(sorted({*common, *own}))}")
    mapping = merge(common.get(profile, {}), own.get(profile, {}))
    for key in flatten(mapping):
        if key not in PROFILE_KEYS:
            raise SpecError(
                f"data_specs: profile '{profile}' of {dataset} sets '{key}'; it may only set {sorted(PROFILE_KEYS)}"
            )
    return mapping


def _scale(mapping: dict[str, Any]) -> dict[str, Any]:
    """Values at 256 network pixels turned into values at the mapping's own image size."""
    size = mapping["network"]["image_size"]
    if size == REFERENCE_SIZE:
        return mapping
    s = size / REFERENCE_SIZE
    tracking, dataset = mapping["tracking"], mapping["dataset"]
    lengths = {key: mapping["augmentation"][key] * s for key in ("translation", "elastic_amplitude", "drift", "jiggle")}
    return merge(
        mapping,
        {
            "augmentation": lengths,
            "preprocessing": {"label_smoothing": mapping["preprocessing"]["label_smoothing"] * s},
            "instances": {"neighbour_radius": mapping["instances"]["neighbour_radius"] * s},
            "tracking": {
                "min_points": max(3, round(tracking["min_points"] * s * s)),
                "coordinate_factor": tracking["coordinate_factor"] / s,
                "border": _scaled_border(tracking["border"], dataset["image_shape"], size),
                "parent_dilation": _nearest_odd(tracking["parent_dilation"] * s),
            },
        },
    )


def _scaled_border(border: list[int], image_shape: list[int], size: int) -> list[int]:
    """The released border is 50 original pixels (none where the reference is 0), rounded down in network pixels."""
    return [int(50 * size / side) if pixels else 0 for pixels, side in zip(border, image_shape, strict=True)]


def _nearest_odd(diameter: float) -> int:
    return 0 if diameter == 0 else max(1, 2 * round((diameter - 1) / 2) + 1)


def _folder() -> Any:
    return importlib.resources.files("data_specs")


def _read(name: str) -> dict[str, Any]:
    return _parse((_folder() / name).read_bytes, f"data_specs/{name}")


def _parse(read: Any, source: str) -> dict[str, Any]:
    try:
        mapping = yaml.safe_load(read())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SpecError(f"{source}: cannot be read as YAML ({str(error).splitlines()[0]}); restore the file") from error
    if not isinstance(mapping, dict):
        raise SpecError(f"{source}: must be a mapping of keys to values; restore the file")
    return mapping
