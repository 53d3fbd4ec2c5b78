"""The table of models: their files, sizes, hashes, licenses and URLs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class FileVariant:
    """One accepted form of a file.

    Attributes:
        name: path below the model's folder, with forward slashes.
        size: bytes.
        sha256: hexadecimal digest; None where unknown: then MD5, or else only the size, is checked.
        url: where it can be downloaded, empty for a member of an archive.
        md5: hexadecimal digest, for files whose publisher gives no SHA-256.
    """

    name: str
    size: int
    sha256: str | None
    url: str = ""
    md5: str | None = None


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model, in all accepted variants, whose URLs are mirrors of each other."""

    role: str
    variants: tuple[FileVariant, ...]


@dataclass(frozen=True, slots=True)
class ModelArchive:
    """A folder that is downloaded as one `.tar.gz`.

    Attributes:
        role: the key under which the unpacked folder is returned.
        urls: mirrors of the archive, best first.
        members: files that the folder must have after a download.
        graph: the member that identifies a local folder as this model. The other members may be a
            retrained checkpoint of the same graph.
    """

    role: str
    urls: tuple[str, ...]
    members: tuple[FileVariant, ...]
    graph: FileVariant


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of a model.

    Attributes:
        name: on the command line.
        title: one line of description.
        license: SPDX identifier of the weights.
        files: single files to fetch.
        archive: or a folder to fetch.
        embedded: or files that are part of the package, every `.npz` of its `_models` folder.
    """

    name: str
    title: str
    license: str
    files: tuple[ModelFile, ...] = ()
    archive: ModelArchive | None = None
    embedded: bool = False

    @property
    def size(self) -> int:
        """Bytes to fetch (unpacked), 0 for an embedded model."""
        members = self.archive.members if self.archive else ()
        firsts = (file.variants[0] for file in self.files)
        return sum(variant.size for variant in (*firsts, *members))


_STORAGE = "https://storage.googleapis.com/download.tensorflow.org/models/tflite/"
_PLAIN = _STORAGE + "arbitrary_style_transfer/"
_TASK_LIBRARY = _STORAGE + "task_library/style_transfer/android/"
_HUB = "google/magenta/arbitrary-image-stylization-v1-256/2"


def _on(bucket: str, name: str, size: int, sha256: str) -> FileVariant:
    """Return a variant that is stored under its own name in `bucket`."""
    return FileVariant(name, size, sha256, bucket + name)


# The two buckets have the same networks; the task library's files end with a metadata block.
_LITE_FILES = (
    ModelFile(
        "predictor",
        (
            _on(
                _PLAIN,
                "style_predict_quantized_256.tflite",
                2_827_952,
                "203dbd6a09da1091ab7e48e8b101aef8c2d81438ad047a5cb150747a977134c1",
            ),
            _on(
                _TASK_LIBRARY,
                "magenta_arbitrary-image-stylization-v1-256_int8_prediction_1.tflite",
                2_828_838,
                "af6ad4b2e7aeba0675f32636082ab915ced5375229a3f8aff7e714c6213f5ed2",
            ),
        ),
    ),
    ModelFile(
        "transformer",
        (
            _on(
                _PLAIN,
                "style_transfer_f16_384.tflite",
                421_104,
                "c60cff7395544eda1f0915d6dddaedd8ed868cefe8ec6c5ed220ba801f120303",
            ),
            _on(
                _TASK_LIBRARY,
                "magenta_arbitrary-image-stylization-v1-256_fp16_transfer_1.tflite",
                422_086,
                "53b5243ed5aa33e408db7976c8a8e51a90a0f7708fd122a31428cd00fbdf6aa6",
            ),
        ),
    ),
)

_HUB_GRAPH = FileVariant(
    "saved_model.pb",
    1_653_360,
    "9c061b2fe4c9277d35adea3a2a620522e2d0b9685109f0e06fe8454b0be70a62",
)

# The hash of the large shard is published nowhere. Its size follows from the index, whose hash is
# known and which holds a CRC-32C of every tensor: TensorFlow compares those as it reads them.
_HUB_MEMBERS = (
    _HUB_GRAPH,
    FileVariant(
        "variables/variables.index",
        9_678,
        "ac7a95d72e0ebab3ff54ad58951ed00d3d0ba8b9e785c7b04af10f99caf1b150",
    ),
    FileVariant("variables/variables.data-00000-of-00002", 92_403_480, None),
    FileVariant(
        "variables/variables.data-00001-of-00002",
        69_318,
        "a8970e355138697029fe71aca1cefe5f3ded143330ba1a9cf0b64d939238e3e3",
    ),
)

MODELS: Mapping[str, ModelFiles] = MappingProxyType(
    {
        model.name: model
        for model in (
            ModelFiles(
                name="builtin",
                title="our own small networks, part of the package",
                license="Apache-2.0",
                embedded=True,
            ),
            ModelFiles(
                name="magenta-lite",
                title="Magenta arbitrary stylization for phones, 5 residual blocks",
                license="Apache-2.0",
                files=_LITE_FILES,
            ),
            ModelFiles(
                name="magenta",
                title="Magenta arbitrary stylization, 20 residual blocks",
                license="Apache-2.0",
                archive=ModelArchive(
                    role="saved_model",
                    urls=(
                        f"https://tfhub.dev/{_HUB}?tf-hub-format=compressed",
                        f"https://storage.googleapis.com/tfhub-modules/{_HUB}.tar.gz",
                    ),
                    members=_HUB_MEMBERS,
                    graph=_HUB_GRAPH,
                ),
            ),
        )
    }
)
"""Every style model by name, smallest first."""

_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications/"


def _vgg(name: str, depth: int, size: int, md5: str) -> ModelFiles:
    """Return a VGG network without its top, as `keras.applications` publishes it."""
    file = f"{name}_weights_tf_dim_ordering_tf_kernels_notop.h5"
    variant = FileVariant(file, size, None, f"{_KERAS}{name}/{file}", md5)
    title = f"Oxford VGG with {depth} layers, a loss network for painting by optimization"
    return ModelFiles(name, title, "CC-BY-4.0", (ModelFile("loss", (variant,)),))


LOSS_NETWORKS: Mapping[str, ModelFiles] = MappingProxyType(
    {
        model.name: model
        for model in (
            _vgg("vgg16", 16, 58_889_256, "6d6bbae143d832006294945121d1f1fc"),
            _vgg("vgg19", 19, 80_134_624, "253f8cb515780f3b799900260a226db6"),
        )
    }
)
"""Loss networks; `builtin` has one among its own files."""

_MEDIAPIPE = "https://storage.googleapis.com/mediapipe-assets/modules/selfie_segmentation/"

SEGMENTERS: Mapping[str, ModelFiles] = MappingProxyType(
    {
        "selfie": ModelFiles(
            name="selfie",
            title="MediaPipe selfie segmentation, landscape: finds people, for masks",
            license="Apache-2.0",
            files=(
                ModelFile(
                    "segmenter",
                    (
                        _on(
                            _MEDIAPIPE,
                            "selfie_segmentation_landscape.tflite",
                            249_792,
                            "4aafe6223bb8dac6fac8ca8ed56852870a33051ef3f6238822d282a109962894",
                        ),
                    ),
                ),
            ),
        )
    }
)
"""Networks that find people; `builtin` has one among its own files."""

ALL_MODELS: Mapping[str, ModelFiles] = MappingProxyType({**MODELS, **LOSS_NETWORKS, **SEGMENTERS})
"""All models, loss networks and segmenters by name."""
