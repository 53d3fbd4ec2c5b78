"""Model files: a table of them, downloads, a cache, and verification by SHA-256."""

from nst_video.weights.checks import digest_of
from nst_video.weights.fetch import FetchProgress, OnProgress
from nst_video.weights.store import (
    check_models_dir,
    find_model,
    install,
    is_cached,
    is_offline,
    resolve,
)
from nst_video.weights.table import (
    ALL_MODELS,
    LOSS_NETWORKS,
    MODELS,
    FileVariant,
    ModelArchive,
    ModelFile,
    ModelFiles,
)
from nst_video.weights.verify import VerifiedFile, verify

__all__ = [
    "ALL_MODELS",
    "LOSS_NETWORKS",
    "MODELS",
    "FetchProgress",
    "FileVariant",
    "ModelArchive",
    "ModelFile",
    "ModelFiles",
    "OnProgress",
    "VerifiedFile",
    "check_models_dir",
    "digest_of",
    "find_model",
    "install",
    "is_cached",
    "is_offline",
    "resolve",
    "verify",
]
