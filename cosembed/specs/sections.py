"""Defines the sections of a spec, typed and strict. Knows nothing of files or of how specs are put together.

A value that is not known from the paper or the released code, and what was chosen instead, is listed in
docs/fidelity.md.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from cosembed.errors import SpecError
from cosembed.specs.dataclass_mapping import bounded, check


@dataclass(frozen=True, kw_only=True)
class CommonDatasetSpec:
    """Says where a data set comes from.

    Attributes:
        name: The name of its folder, for example `DIC-C2DH-HeLa`.
        paper_name: The name in the paper's tables.
        licence: One sentence on the terms of use.
    """

    name: str
    paper_name: str
    licence: str


@dataclass(frozen=True, kw_only=True)
class CellsDatasetSpec(CommonDatasetSpec):
    """Says how a data set in the Cell Tracking Challenge's layout is to be read.

    Attributes:
        archive: The zip file's path below the download base URL; empty if the data set is not downloaded.
        videos: The annotated videos.
        tra_masks: `markers` if TRA labels only mark cells, `full` if they are complete masks.
        complete_frames: Per video, the frames in which every cell is segmented, as far as known.
        loss_border: Width of the border in which the truth is not reliable, in original pixels.
        image_shape: Height and width of the original images (of the larger, where videos differ).
    """

    archive: str
    videos: tuple[str, ...]
    tra_masks: Literal["markers", "full"]
    complete_frames: dict[str, tuple[int, ...]]
    loss_border: int = bounded(0)
    image_shape: tuple[int, int] = bounded(1)


@dataclass(frozen=True, kw_only=True)
class FoldedDatasetSpec(CommonDatasetSpec):
    """Says how a data set is split into folds by name (of a patient, of a plant).

    Attributes:
        fold_count: The number of folds.
        fold_seed: The seed of the draw, in which every `fold_count` names in order are dealt to the folds at
            random.
        folds: The drawn folds, committed; empty where the names are not known beforehand.
    """

    fold_count: int = bounded(2, 100)
    fold_seed: int = bounded(0)
    folds: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class HeartDatasetSpec(FoldedDatasetSpec):
    """Says how short-axis cine MR of the heart is to be read.

    Attributes:
        layout: `stacom` (2011 left ventricle challenge) or `acdc`.
        slices: How many central slices of every patient are used.
    """

    layout: Literal["stacom", "acdc"]
    slices: int = bounded(1, 100)


@dataclass(frozen=True, kw_only=True)
class LeavesDatasetSpec(FoldedDatasetSpec):
    """Says how still images of plants, in the layout of CVPPP A1, are to be read."""


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """Says how the stacked hourglass network is built (paper section 2.1).

    Attributes:
        image_size: The side of the square input, in pixels.
        channels: How many channels a frame has.
        levels: How many resolutions an hourglass has.
        filters: How many channels every convolution within the network has.
        outputs: The size of an embedding, or the number of classes.
        recurrent: Whether the network carries a state from frame to frame.
        variant: As in `StackedHourglass`: the paper's network or that of its follow-up.
    """

    image_size: int = bounded(8, 4096)
    channels: int = bounded(1, 16)
    levels: int = bounded(1, 10)
    filters: int = bounded(1, 1024)
    outputs: int = bounded(1, 256)
    recurrent: bool
    variant: Literal["miccai2018", "mia2019"] = "miccai2018"

    def form(self) -> dict[str, Any]:
        """Gives the values that decide which weights the network has; the size of the images does not."""
        return {key: value for key, value in asdict(self).items() if key != "image_size"}


@dataclass(frozen=True, kw_only=True)
class PreprocessingSpec:
    """Says what happens to every frame before augmentation, in training and testing alike (paper appendix 6).

    Attributes:
        smoothing_sigma: Sigma of the Gaussian smoothing, in original pixels.
        lower_percentile: The percentile mapped to -1.
        upper_percentile: The percentile mapped to 1.
        crop: How many original pixels are removed at each side of training frames; the released code does not
            crop at test time.
        padding: What lies outside the image: `mirror` (by half the image on each side), `constant` (-1) or
            `zero`.
        test_zoom: The part of the image that is kept at test time; 0.95 cuts 2.5 % at each side.
        label_smoothing: Sigma of the Gaussian of every training label's mask, in network pixels; 0 is off.
    """

    smoothing_sigma: float = bounded(0, 100)
    lower_percentile: float = bounded(0, 100)
    upper_percentile: float = bounded(0, 100)
    crop: int = bounded(0)
    padding: Literal["mirror", "constant", "zero"]
    test_zoom: float = bounded(0, 1, above=True)
    label_smoothing: float = bounded(0, 100)


@dataclass(frozen=True, kw_only=True)
class AugmentationSpec:
    """Says how far augmentation changes a clip (paper appendix 6).

    Most values are half-widths of uniform distributions. Lengths are in network pixels.

    Attributes:
        shift: U(-shift, shift) is added to a clip's intensities.
        scale: A clip's intensities are multiplied by U(1 - scale, 1 + scale).
        gamma: The clip, rescaled to 0..1, is raised to the power U(1 - gamma, 1 + gamma) (released code
            only).
        frame_shift: As `shift`, for every frame by itself (released code only).
        frame_scale: As `scale`, for every frame by itself (released code only).
        translation: A clip moves by U(-translation, translation) along each axis; not where the network sees
            windows of the image with room to lie in, whose place is drawn instead.
        flip: The probability of a flip along each axis.
        rotation: A clip turns by U(-rotation, rotation) degrees.
        zoom: A clip is scaled by U(1 - zoom, 1 + zoom) along each axis.
        common_zoom: It is also scaled by U(1 - common_zoom, 1 + common_zoom) along both axes together
            (follow-up only).
        zoom_widens: Whether a factor above 1 shows a larger region (follow-up), instead of enlarging cells.
        elastic_grid: The third-order spline has so many control points along each axis; 0 is off.
        elastic_times: The spline has so many control points along time, so that the movement changes smoothly
            during a clip (follow-up only); 0: all frames move alike.
        elastic_amplitude: Each control point moves by at most this, along each axis.
        drift: The movement along each axis over the whole clip, growing linearly (released code only).
        jiggle: The extra movement of every frame along each axis (released code only).
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
    common_zoom: float = bounded(0, 0.99, default=0.0)
    zoom_widens: bool = False
    elastic_times: int = bounded(0, 64, default=0)


@dataclass(frozen=True, kw_only=True)
class InstancesSpec:
    """Says which pixels the loss compares (paper section 2.2).

    Attributes:
        neighbour_radius: r_N, in network pixels.
        neighbours: `mask_distance`: instances whose masks come within r_N of the instance's mask in some
            frame; `centre_circle`: instances with a pixel, in any frame, inside the circle of radius r_N
            around the instance's centre of mass over the clip; `lifetime_region` (follow-up): instances with
            a pixel in that circle or close to the instance's mask, from the frame before it first appears to
            the frame after it last does; `all`: every other instance, whatever the radius.
        maximum: So many instances of a clip are kept, chosen at random (the background is not counted).
        background: `instance`: one more instance in the same mean; `term`: a second loss term of weight 1;
            `fixed_term` (follow-up): such a term whose mean embedding is fixed at (1, 0, ..., 0).
        own_pixels: How the pixels of an instance are compared with its mean embedding: by their `cosine`, or
            by the `squared_cosine` (follow-up).
    """

    neighbour_radius: float = bounded(0)
    neighbours: Literal["mask_distance", "centre_circle", "lifetime_region", "all"]
    maximum: int = bounded(1, 1024)
    background: Literal["instance", "term", "fixed_term"]
    own_pixels: Literal["cosine", "squared_cosine"] = "cosine"


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """Says how the network is trained (paper appendix 5).

    The learning rate drops tenfold after half of the iterations.

    Attributes:
        optimizer: `adam`, or `nadam`: Adam with Nesterov momentum as in the released training graphs.
        iterations: How many batches are trained on.
        learning_rate: The learning rate of the first half of the iterations.
        weight_decay: The factor of sum(w^2) / 2 over all kernels in the loss.
        gradient_clip: The global norm that gradients are clipped to; 0 is off.
        batch_size: How many clips a batch has.
        clip_length: How many consecutive frames a clip has; 1 for still images.
        segmented_weight: Clips are drawn around a frame that has segmented masks (SEG) so many times as often
            as around one that has markers alone.
        frames_before: At least so many frames of a clip precede the one that it is drawn around, unless the
            video begins there.
        seed: Decides the weights and every clip.
        checkpoint_every: So many iterations lie between checkpoints.
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
    segmented_weight: int = bounded(1, 1000, default=1)
    frames_before: int = bounded(0, 1023, default=0)


@dataclass(frozen=True, kw_only=True)
class ClusteringSpec:
    """Says how embeddings become instances (paper section 2.3 and appendix 7).

    Final values, in network pixels.

    Attributes:
        method: `hdbscan`, or `mean_shift` with a flat kernel and cosine distance (the follow-up).
        min_points: m_pts, HDBSCAN's `min_samples`, and m_clSize, its `min_cluster_size`. Mean shift has no
            such number; there it is the size that `size_share` is a share of.
        coordinate_factor: c, by which pixel coordinates are multiplied before they join the embedding.
        mode: HDBSCAN runs on every pixel (`exact`), or pixels deep inside cells stand for each other (`fast`,
            where that saves time), or `auto`: fast from 100 points on; `released` is the library call of the
            released code, whose spanning tree is approximate.
        bandwidth: The largest cosine distance of points that belong to a centre of mean shift.
        seeds: At how many points centres of mean shift begin.
        seed: Decides which points these are, in every frame pair anew.
        background: The embedding of the background is `estimated` as the median of the first frame pair, its
            `densest` direction (ours, for cells on over half of it), or `fixed` to (1, 0, ...) (follow-up).
        background_measure: `dot` is the dot product with the background embedding; `squared_dot` its square
            (released code for still images).
        background_similarity: From this measure on, a pixel or cluster is background.
        background_clusters: Whether clusters whose mean embedding is background are dropped.
        size_share: Components with fewer than this many times m_pts pixels, over all frames clustered
            together, are dropped.
    """

    min_points: int = bounded(2)
    coordinate_factor: float = bounded(0)
    method: Literal["hdbscan", "mean_shift"] = "hdbscan"
    mode: Literal["auto", "exact", "fast", "released"] = "auto"
    bandwidth: float = bounded(0, 2, above=True, default=0.1)
    seeds: int = bounded(1, 2**20, default=128)
    seed: int = bounded(0, 2**31 - 1, default=1)
    background: Literal["estimated", "densest", "fixed"] = "estimated"
    background_measure: Literal["dot", "squared_dot"] = "dot"
    background_similarity: float = bounded(-1, 1, default=0.95)
    background_clusters: bool = True
    size_share: float = bounded(0, default=0.5)

    def __post_init__(self) -> None:
        check(self)

    @property
    def size_threshold(self) -> float:
        """Returns the least number of pixels of a component, over all frames clustered together."""
        return self.min_points * self.size_share


@dataclass(frozen=True, kw_only=True)
class TrackingSpec(ClusteringSpec):
    """Says how frame pairs are clustered, stitched and joined to lineages.

    Final values, in network pixels; `border` and `parent_dilation` are in pixels of what is cleaned up.

    Attributes:
        clean_up: Whether the border is cleaned and parents are found in labels of the `network`'s size,
            before they are brought to the original size, or in those of the `original` size (the follow-up).
        border: (y, x); a label lying wholly inside this border is erased in that frame.
        parent_dilation: The diameter of the disc that dilates a new label before its parent is sought; 0 is
            off.
        parent_frames: So many frames are searched back for a parent.
        merge_iou: The least IoU at which labels of overlapping frame pairs are the same instance.
        parent_iou: The IoU that a parent must exceed.
        false_split_frames: Labels whose last frame comes at most so many frames after their first are joined
            to what they came out of and turn into; 0 is off.
        minimum_length: Tracks of fewer frames than this that have no parent are erased, if `clean_up` is
            `original`; 1 is off.
        second_look: Whether labels of a frame are separated where the pair with the next frame shows several
            instances (ours).
        daughter_likeness: A track that begins while its parent goes on is a daughter only if the smaller of
            both masks has at least this share of the larger one's pixels (ours); 0 is off.
    """

    clean_up: Literal["network", "original"] = "network"
    border: tuple[int, int] = bounded(0)
    parent_dilation: int = bounded(0)
    parent_frames: int = bounded(1)
    merge_iou: float = bounded(0, 1, default=0.25)
    parent_iou: float = bounded(0, 1, default=0.01)
    false_split_frames: int = bounded(0, 1000, default=0)
    minimum_length: int = bounded(1, 1000, default=1)
    second_look: bool = False
    daughter_likeness: float = bounded(0, 1, default=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.second_look and self.false_split_frames:
            raise SpecError("tracking.second_look and tracking.false_split_frames: both are on; turn one off")
        if self.minimum_length > 1 and self.clean_up == "network":
            raise SpecError(
                f"tracking.minimum_length is {self.minimum_length}; it needs tracking.clean_up=original, set "
                "it too"
            )
        if self.parent_dilation and self.parent_dilation % 2 == 0:
            raise SpecError(
                f"tracking.parent_dilation is {self.parent_dilation}; choose an odd diameter, or 0 for none"
            )


@dataclass(frozen=True, kw_only=True)
class InferenceSpec:
    """Says at which size the network sees a video, and in which pieces (the follow-up's section on tiles).

    With `scale` or `size`, the network sees windows of its own size, in training and testing alike; without
    them, the whole image is brought to its square, as in the paper.

    Attributes:
        scale: Network pixels per original pixel; 0: decided by `size`, or the whole image is scaled.
        size: (y, x), the network pixels that every image is stretched to before it is cut into tiles (the
            follow-up); [0, 0]: decided by `scale`.
        tile: Side of a tile at test time, in network pixels; 0 is the network's image size.
        overlap: How many network pixels neighbouring tiles share at least; 0 is half a tile.
        window: The state starts at zero at every window of so many frames (the follow-up); 0: it is carried
            on from the video's first frame.
    """

    scale: float = bounded(0, 16, default=0.0)
    size: tuple[int, int] = bounded(0, 2**16, default=(0, 0))
    tile: int = bounded(0, 4096, default=0)
    overlap: int = bounded(0, 4095, default=0)
    window: int = bounded(0, 1024, default=0)

    def __post_init__(self) -> None:
        if (0 in self.size) != (self.size == (0, 0)):
            raise SpecError(f"inference.size is {list(self.size)}; give both sides, or [0, 0] for none")
        if self.scale and self.size != (0, 0):
            raise SpecError("inference.scale and inference.size: both are given; set one of them to 0")
        if (self.tile or self.overlap) and not self.tiled:
            raise SpecError("inference.tile and inference.overlap need inference.scale; set it too")
        if self.window == 1:
            raise SpecError("inference.window is 1; a window gives pairs of frames: choose 2 or more, or 0")

    @property
    def tiled(self) -> bool:
        """Returns whether the network sees windows of the image, not all of it at once."""
        return self.scale > 0 or self.size != (0, 0)


@dataclass(frozen=True, kw_only=True)
class UpsamplingSpec:
    """Says how labels of the network's grid are brought to the original image.

    Attributes:
        method: `nearest_gaussian` is nearest neighbour, then a Gaussian of every label's mask of which the
            largest wins; `label_gaussian` is ITK's label-Gaussian interpolation without smoothing.
        sigma: The Gaussian's sigma, in original pixels.
    """

    method: Literal["nearest_gaussian", "label_gaussian"]
    sigma: float = bounded(0, 100)
