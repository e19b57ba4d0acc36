"""Small sound files of every format that tumorlens reads; :mod:`fuzz_mutators` damages them.

A seed whose bytes are guarded by a checksum or a compression comes twice: as it is, and as its inner bytes with a
function that wraps them again, so that damage reaches what lies behind the guard.
"""

from __future__ import annotations

import gzip
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["FORMATS", "LANDMARKS", "Seed", "seeds"]


def _as_is(data: bytes) -> bytes:
    return data


@dataclass(frozen=True)
class Seed:
    """A sound file: suffix, the bytes to damage, and what makes a file of them."""

    suffix: str
    data: bytes
    wrap: Callable[[bytes], bytes] = _as_is


_SIDE = 24
_DICOM_SIDE = 40  # JPEG 2000 as OpenJPEG packs it needs more than 32
_FIXED_TIME = (2000, 1, 1, 0, 0, 0)

LANDMARKS: dict[str, re.Pattern[bytes]] = {
    "png": re.compile(rb"IHDR|IDAT|PLTE|tRNS|eXIf|iCCP|zTXt|acTL"),
    "jpeg": re.compile(rb"\xff[\xc0-\xcf\xda-\xef]"),
    "tiff": re.compile(rb"II\*\x00|MM\x00\*|[\x00\x01][\x01-\x1c][\x03\x04]\x00|[\x01-\x1c]\x01[\x03\x04]\x00"),
    "bmp": re.compile(rb"BM"),
    "webp": re.compile(rb"RIFF|VP8.|EXIF|ALPH|ANIM|ANMF|\x9d\x01\x2a"),
    "npz": re.compile(rb"PK\x01\x02|PK\x03\x04|PK\x05\x06|NUMPY|descr|shape|fortran"),
    "zip": re.compile(rb"PK\x01\x02|PK\x03\x04|PK\x05\x06"),
    "dicom": re.compile(
        rb"DICM|\x02\x00\x10\x00|\x28\x00[\x00-\xff][\x00-\x30]|\x00\x28\x00|\xe0\x7f\x10\x00|\x7f\xe0\x00\x10|"
        rb"\xfe\xff\x00\xe0|\xfe\xff\xdd\xe0|\x00\x52\x30\x92|\x18\x00|\xff[\xc0-\xf7\x4f\x51\x52\x5c\x90]"
    ),
    "nifti": re.compile(rb"n\+[12]|\x5c\x01\x00\x00|\x1c\x02\x00\x00|\x1f\x8b"),
}
"""Where the fields that matter stand, by format."""


def seeds(name: str) -> list[Seed]:
    """The seeds of one format; the same on every call."""
    return FORMATS[name]()


def _values(*shape: int, high: int = 256, dtype: npt.DTypeLike = np.uint8) -> npt.NDArray[Any]:
    """A smooth picture with some noise, as scans are."""
    random = np.random.default_rng(7)
    ramp = np.linspace(0, high * 0.8, int(np.prod(shape))).reshape(shape)
    return np.clip(ramp + random.uniform(0, high * 0.2, shape), 0, high - 1).astype(dtype)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _images() -> dict[str, Image.Image]:
    colour = Image.fromarray(_values(_SIDE, _SIDE, 3))
    alpha = colour.copy()
    alpha.putalpha(Image.fromarray(_values(_SIDE, _SIDE)))
    return {
        "grey": Image.fromarray(_values(_SIDE, _SIDE)),
        "deep": Image.fromarray(_values(_SIDE, _SIDE, high=4000, dtype=np.uint16)),
        "colour": colour,
        "alpha": alpha,
        "palette": colour.quantize(16),
        "bits": colour.convert("1"),
        "cmyk": colour.convert("CMYK"),
    }


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "scan"
    return exif


def _png() -> list[Seed]:
    images = _images()
    files = [_saved(images[name], "PNG") for name in ("grey", "deep", "colour", "alpha", "palette", "bits")]
    files.append(_saved(images["palette"], "PNG", transparency=3))
    files.append(_saved(images["colour"], "PNG", exif=_exif(6), dpi=(72, 72)))
    files.append(_saved(images["grey"], "PNG", save_all=True, append_images=[images["bits"].convert("L")]))
    files.append(_interlaced(_values(8, 8)))
    kinds = [
        (Seed(".png", data), Seed(".png", data, _mend_png), Seed(".png", _opened(data), _packed)) for data in files
    ]
    return [seed for kind in kinds for seed in kind]


def _interlaced(grey: npt.NDArray[np.uint8]) -> bytes:
    """An Adam7 PNG of 8-bit grey, which Pillow reads but does not write."""
    passes = [(0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1)]
    rows = [
        b"\x00" + row.tobytes() for top, down, left, right in passes for row in grey[top::down, left::right] if row.size
    ]
    header = struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 8, 0, 0, 0, 1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kinds and bytes of the chunks of a PNG, as far as they can be told."""
    place = 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length


def _joined(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The PNG with its picture's bytes changed, and lengths and checksums that fit."""
    parts = [data[:8]]
    for kind, body in _chunks(data):
        changed = change(body) if kind == b"IDAT" else body
        parts.append(struct.pack(">I", len(changed)) + kind + changed + struct.pack(">I", zlib.crc32(kind + changed)))
    return b"".join(parts)


def _opened(data: bytes) -> bytes:
    return _joined(data, zlib.decompress)


def _packed(data: bytes) -> bytes:
    return _joined(data, zlib.compress)


def _mend_png(data: bytes) -> bytes:
    """Make the checksum of every chunk fit its bytes, as far as chunks can be told."""
    mended, place = bytearray(data), 8
    while place + 12 <= len(mended):
        length = int.from_bytes(mended[place : place + 4], "big")
        end = place + 8 + length
        if end + 4 > len(mended):
            break
        mended[end : end + 4] = struct.pack(">I", zlib.crc32(mended[place + 4 : end]))
        place = end + 4
    return bytes(mended)


def _jpeg() -> list[Seed]:
    images = _images()
    files = [
        _saved(images["grey"], "JPEG"),
        _saved(images["colour"], "JPEG", quality=90, subsampling=0),
        _saved(images["colour"], "JPEG", progressive=True, exif=_exif(6)),
        _saved(images["cmyk"], "JPEG"),
        _saved(images["grey"], "JPEG", restart_marker_rows=1, optimize=True, exif=_exif(3)),
    ]
    return [Seed(".jpg", data) for data in files]


def _tiff() -> list[Seed]:
    images = _images()
    files = [_saved(images[name], "TIFF") for name in images]
    for packing in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        files.append(_saved(images["colour"], "TIFF", compression=packing))
    files.append(_saved(images["deep"], "TIFF", compression="tiff_lzw", tiffinfo={317: 2}))
    files += [_saved(images["bits"], "TIFF", compression=packing) for packing in ("group3", "group4")]
    files.append(_saved(images["grey"], "TIFF", save_all=True, append_images=[images["grey"]]))
    files.append(_saved(images["colour"], "TIFF", exif=_exif(8)))
    files.append(_tiled(_values(32, 32)))
    files.append(_saved(images["grey"], "TIFF", big_tiff=True))
    return [Seed(".tif", data) for data in files]


def _tiled(grey: npt.NDArray[np.uint8]) -> bytes:
    """A big-endian TIFF of four 16x16 tiles, which Pillow reads but does not write."""
    tiles = [grey[top : top + 16, left : left + 16].tobytes() for top in (0, 16) for left in (0, 16)]
    start = 8 + 2 + 11 * 12 + 4
    places, sizes = start, start + 16
    entries = [(256, 4, 1, 32), (257, 4, 1, 32), (258, 3, 1, 8 << 16), (259, 3, 1, 1 << 16), (262, 3, 1, 1 << 16)]
    entries += [(277, 3, 1, 1 << 16), (284, 3, 1, 1 << 16), (322, 4, 1, 16), (323, 4, 1, 16)]
    entries += [(324, 4, 4, places), (325, 4, 4, sizes)]
    offsets = [start + 32 + 256 * number for number in range(4)]
    head = b"MM\x00*" + struct.pack(">I", 8) + struct.pack(">H", len(entries))
    body = b"".join(struct.pack(">HHII", *entry) for entry in entries) + struct.pack(">I", 0)
    return head + body + struct.pack(">4I", *offsets) + struct.pack(">4I", *([256] * 4)) + b"".join(tiles)


def _bmp() -> list[Seed]:
    images = _images()
    files = [_saved(images[name], "BMP") for name in ("grey", "colour", "palette", "bits", "alpha")]
    return [Seed(".bmp", data) for data in (*files, _run_length_bmp())]


def _run_length_bmp() -> bytes:
    """An 8-bit BMP packed in runs, which Pillow reads but does not write."""
    rows = b"".join(b"\x08" + bytes([row * 3]) + b"\x00\x03\x01\x02\x03\x00\x05\x09\x00\x00" for row in range(16))
    palette = b"".join(bytes([level, level, level, 0]) for level in range(256))
    data, start = rows + b"\x00\x01", 14 + 40 + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, 16, 16, 1, 8, 1, len(data), 2835, 2835, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + header + palette + data


def _webp() -> list[Seed]:
    images = _images()
    files = [
        _saved(images["colour"], "WEBP", quality=80),
        _saved(images["colour"], "WEBP", lossless=True),
        _saved(images["alpha"], "WEBP", quality=50),
        _saved(images["alpha"], "WEBP", lossless=True, exif=_exif(6)),
        _saved(images["colour"], "WEBP", save_all=True, append_images=[images["alpha"]]),
    ]
    return [Seed(".webp", data) for data in files]


def _npy(array: npt.NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _zipped(members: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _FIXED_TIME)
            info.compress_type = packing
            archive.writestr(info, data)
    return stream.getvalue()


def _npz() -> list[Seed]:
    labels = [np.array([0, 1, 1, 0]), np.eye(2)[[0, 1, 1, 0]], np.array(["no", "yes", "yes", "no"])]
    images = [_values(4, 6, 5), _values(4, 6, 5, 3) / 255.0, _values(4, 6, 5, 1, dtype=np.float32)]
    found = []
    for x, y in zip(images, labels, strict=True):
        members = {"X.npy": _npy(x), "Y.npy": _npy(y)}
        for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            found.append(Seed(".npz", _zipped(members, packing)))
        for member, data in members.items():
            found.append(Seed(".npz", data, _rezip(members, member)))
    return found


def _rezip(members: dict[str, bytes], member: str) -> Callable[[bytes], bytes]:
    return lambda data: _zipped({**members, member: data}, zipfile.ZIP_DEFLATED)


def _zip() -> list[Seed]:
    images = _images()
    picture, photo = _saved(images["grey"], "PNG"), _saved(images["colour"], "JPEG")
    study = {"p1/a.png": picture, "p1/b.jpg": photo, "p2/": b"", "p2/deep/c.png": picture, "notes.txt": b"x" * 300}
    members = {**study, "inner.zip": _zipped({"a.png": picture}), ".hidden": b"x"}
    found = [Seed(".zip", _zipped(members, packing)) for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]
    names = {"p1/aa.png": picture, "p1/../../b.png": photo, "/tmp/c.png": picture, "C:\\d.png": picture}
    found.append(Seed(".zip", _zipped({"p1/aa.png": picture, "p1/bb.png": photo})))
    return [*found, *(Seed(".zip", _zipped({name: data})) for name, data in names.items())]


_DICOM_FILES = (
    "693_J2KI.dcm CT_small.dcm ExplVR_BigEnd.dcm GDCMJ2K_TextGBR.dcm JPEG-lossy.dcm JPEG2000.dcm JPGExtended.dcm "
    "JPEGLSNearLossless_08.dcm JPEGLSNearLossless_16.dcm MR_small.dcm MR_small_RLE.dcm MR_small_bigendian.dcm "
    "MR_small_implicit.dcm MR_small_jp2klossless.dcm MR_small_jpeg_ls_lossless.dcm MR_small_padded.dcm "
    "SC_rgb_dcmtk_+eb+cy+n2.dcm SC_rgb_jpeg_gdcm.dcm SC_rgb_jls_lossy_line.dcm SC_rgb_rle_16bit_2frame.dcm "
    "SC_rgb_small_odd_jpeg.dcm image_dfl.dcm dicomdirtests/77654033/CT2/17106"
)


def _dicom() -> list[Seed]:
    import pydicom

    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    found = [folder / name for name in _DICOM_FILES.split()]
    kept = [Seed(".dcm", file.read_bytes()) for file in found if file.is_file()]
    made = [Seed(".dcm", data) for data in _made_dicom()]
    deflated = [Seed(".dcm", seed.data, _deflated_dicom) for seed in made[:2]]
    return [*kept, *made, *deflated]


def _made_dicom() -> list[bytes]:
    """Explicit little-endian MR (one frame, signed; four frames), and what pydicom can pack."""
    from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

    deep = _values(_DICOM_SIDE, _DICOM_SIDE, high=4000, dtype=np.uint16)
    stack = _values(4, _DICOM_SIDE, _DICOM_SIDE, high=4000, dtype=np.uint16)
    files = [_dicom_file(deep.astype(np.int16), None), _dicom_file(stack, None)]
    files += [_dicom_file(deep, syntax) for syntax in (RLELossless, JPEGLSLossless, JPEG2000Lossless)]
    return [*files, _dicom_file(stack, RLELossless), _jpeg_dicom(), _lossless_jpeg_dicom(deep), _enhanced_dicom(stack)]


def _dataset(pixels: npt.NDArray[Any]) -> Any:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = MRImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = UID("1.2.3.4")
    dataset.SeriesInstanceUID, dataset.StudyInstanceUID, dataset.PatientID = "1.2.3", "1.2", "p1"
    dataset.Modality, dataset.SeriesDescription, dataset.InstanceNumber = "MR", "t1 axial", 1
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.ImageOrientationPatient, dataset.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 0]
    dataset.PixelSpacing, dataset.SliceThickness, dataset.SpacingBetweenSlices = [1, 1], 3, 3
    dataset.WindowCenter, dataset.WindowWidth = [1000, 2000], [500, 800]
    dataset.RescaleSlope, dataset.RescaleIntercept = "1.5", "-10"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.dtype.itemsize
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, int(pixels.dtype.kind == "i")
    if pixels.ndim == 3:
        dataset.NumberOfFrames = len(pixels)
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW" if pixels.dtype.itemsize == 2 else "OB"
    return dataset


def _dicom_bytes(dataset: Any) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _dicom_file(pixels: npt.NDArray[Any], syntax: str | None) -> bytes:
    dataset = _dataset(pixels)
    if syntax is not None:
        dataset.compress(syntax, generate_instance_uid=False)
    return _dicom_bytes(dataset)


def _enhanced_dicom(stack: npt.NDArray[Any]) -> bytes:
    """Frames that say where they lie in a sequence of their own, with a lookup table and padding."""
    from pydicom.dataset import Dataset

    dataset = _dataset(stack)
    frames = []
    for number in range(len(stack)):
        frame, place, order = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, 3 * (len(stack) - number)]
        order.DimensionIndexValues = [1, number + 1]
        frame.PlanePositionSequence, frame.FrameContentSequence = [place], [order]
        frames.append(frame)
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [4096, 0, 12], np.arange(4096, dtype=np.uint16).tobytes()
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "OW"
    dataset.PerFrameFunctionalGroupsSequence = frames
    dataset.VOILUTSequence = [table]
    dataset.add_new("PixelPaddingValue", "US", 0)
    return _dicom_bytes(dataset)


def _jpeg_dicom() -> bytes:
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGBaseline8Bit

    grey = _values(_DICOM_SIDE, _DICOM_SIDE)
    dataset = _dataset(grey)
    dataset.PixelData = encapsulate([_saved(Image.fromarray(grey), "JPEG")])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    return _dicom_bytes(dataset)


def _lossless_jpeg_dicom(deep: npt.NDArray[Any]) -> bytes:
    """A lossless JPEG of 16 bits: process 14, predictor 1, written here because no installed encoder does."""
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGLosslessSV1

    dataset = _dataset(deep)
    dataset.PixelData = encapsulate([_lossless_jpeg(deep)])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    return _dicom_bytes(dataset)


def _lossless_jpeg(values: npt.NDArray[Any]) -> bytes:
    height, width = values.shape
    bits: list[str] = []
    rows = values.astype(int).tolist()
    for row in range(height):
        for column in range(width):
            before = rows[row][column - 1] if column else rows[row - 1][0] if row else 1 << 15
            step = rows[row][column] - before
            length = abs(step).bit_length()
            tail = format(step if step > 0 else step + (1 << length) - 1, f"0{length}b") if length else ""
            bits.append(format(length, "05b") + tail)
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    packed = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")
    table = bytes([0] * 4 + [17] + [0] * 11) + bytes(range(17))
    frame = struct.pack(">BHHBBBB", 16, height, width, 1, 1, 0x11, 0)
    segments = ((0xC3, frame), (0xC4, b"\x00" + table), (0xDA, b"\x01\x01\x00\x01\x00\x00"))
    head = b"".join(struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body for kind, body in segments)
    return b"\xff\xd8" + head + packed + b"\xff\xd9"


def _deflated_dicom(data: bytes) -> bytes:
    """Turn an explicit little-endian file into a deflated one; what is no longer such a file is left alone."""
    from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

    old = str(ExplicitVRLittleEndian).encode() + b"\x00"
    new = str(DeflatedExplicitVRLittleEndian).encode()
    place = data.find(b"\x08\x00")
    if place < 0 or old not in data[:place]:
        return data
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    head = data[:place].replace(b"UI\x14\x00" + old, b"UI\x16\x00" + new)
    length = struct.unpack_from("<I", head, 140)[0] + 2 if len(head) > 144 else 0
    head = head[:140] + struct.pack("<I", length & 0xFFFFFFFF) + head[144:]
    return head + packer.compress(data[place:]) + packer.flush()


def _nifti() -> list[Seed]:
    import nibabel

    affine = np.diag([-1.0, 1.0, 2.0, 1.0])
    volume = _values(10, 9, 8, high=2000, dtype=np.int16)
    images = [
        nibabel.Nifti1Image(volume, affine),
        nibabel.Nifti1Image(_values(6, 5, 4, 3).astype(np.uint8), affine),
        nibabel.Nifti2Image(volume.astype(np.float32), affine),
        nibabel.Nifti1Image(volume.astype(">i2"), affine, nibabel.Nifti1Header(endianness=">")),
    ]
    images[0].header.set_slope_inter(1.5, -3)
    files = [image.to_bytes() for image in images]
    plain = [Seed(".nii", data) for data in files]
    packed = [Seed(".nii.gz", data, _gzipped) for data in files]
    return [*plain, *packed, *(Seed(".nii.gz", _gzipped(data)) for data in files)]


def _gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


FORMATS: dict[str, Callable[[], list[Seed]]] = {
    "png": _png,
    "jpeg": _jpeg,
    "tiff": _tiff,
    "bmp": _bmp,
    "webp": _webp,
    "npz": _npz,
    "zip": _zip,
    "dicom": _dicom,
    "nifti": _nifti,
}
"""The formats, by name."""
