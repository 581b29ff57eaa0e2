"""One picture to pixels: every mode, every turn, every fit, and the same pixels as torchvision."""

import io
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import png_header
from PIL import Image

from ganutils.samples import images
from ganutils.samples.images import ORIENTATION, UPRIGHT, Shape, UnreadableError, _quick, decode, fit_pixels


def packed(image, suffix="PNG", **about):
    stream = io.BytesIO()
    image.save(stream, suffix, **about)
    return stream.getvalue()


def photo(w, h):
    """A smooth picture, as photos are."""
    y, x = np.mgrid[:h, :w]
    pixels = np.stack([128 + 100 * np.sin(x / 17), 128 + 100 * np.sin(y / 23), (x + y) % 256], 2)
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.mark.parametrize("suffix", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "TGA", *images.AVIF])
def test_each_format_is_read(suffix):
    found = decode(packed(photo(40, 30), suffix), Shape())
    assert found.shape == (30, 40, 3)
    assert abs(found.astype(int) - np.asarray(photo(40, 30))).mean() < 25  # GIF has 256 colors


@pytest.mark.skipif(not images.AVIF, reason="this Pillow has no AVIF")
@pytest.mark.parametrize("turned", [1, 6])
def test_avif_is_turned_upright_too(turned):
    exif = Image.Exif()
    exif[ORIENTATION] = turned
    found = decode(packed(photo(64, 32), "AVIF", exif=exif, quality=100), Shape())
    upright = np.asarray(photo(64, 32) if turned == 1 else photo(64, 32).transpose(UPRIGHT[turned]))
    assert found.shape == upright.shape
    assert abs(found.astype(int) - upright).mean() < 20


def test_gray_stays_gray_and_colors_can_be_made_gray():
    assert decode(packed(Image.new("L", (4, 4), 9)), Shape()).shape == (4, 4, 1)
    assert decode(packed(Image.new("L", (4, 4), 9)), Shape(channels=3)).tolist() == [[[9, 9, 9]] * 4] * 4
    assert decode(packed(Image.new("RGB", (4, 4), (9, 9, 9))), Shape(channels=1)).tolist() == [[[9]] * 4] * 4
    assert decode(packed(Image.new("1", (8, 8), 1)), Shape()).min() == 255


def test_what_is_transparent_shows_the_background():
    clear = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    clear.putpixel((1, 0), (0, 0, 255, 128))
    assert decode(packed(clear), Shape()).tolist() == [[[255, 255, 255], [127, 127, 255]]]
    assert decode(packed(clear), Shape(background=(0, 0, 0))).tolist() == [[[0, 0, 0], [0, 0, 128]]]
    palette = Image.new("P", (1, 1), 0)
    palette.putpalette([200, 100, 50])
    assert decode(packed(palette, transparency=0), Shape(background=(1, 2, 3))).tolist() == [[[1, 2, 3]]]
    assert decode(packed(palette), Shape()).tolist() == [[[200, 100, 50]]]
    assert decode(packed(Image.new("LA", (1, 1), (40, 0))), Shape()).tolist() == [[[255]]]


def test_sixteen_bits_are_scaled():
    deep = np.array([[0, 128, 257, 32896, 65535]], np.uint16)
    assert decode(packed(Image.fromarray(deep)), Shape())[0, :, 0].tolist() == [0, 0, 1, 128, 255]
    assert decode(packed(Image.fromarray(deep), "TIFF"), Shape())[0, :, 0].tolist() == [0, 0, 1, 128, 255]
    pgm = b"P5 2 1 65535\n" + deep[0, [0, 4]].astype(">u2").tobytes()
    assert decode(pgm, Shape())[0, :, 0].tolist() == [0, 255]


def test_cmyk_is_converted_and_floats_are_refused():
    assert decode(packed(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"), Shape())[4, 4].argmax() == 0
    with pytest.raises(UnreadableError, match="32 bits"):
        decode(packed(Image.new("F", (4, 4), 0.5), "TIFF"), Shape())


@pytest.mark.parametrize("suffix", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken(suffix):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    data = packed(frames[0], suffix, save_all=True, append_images=frames[1:])
    assert decode(data, Shape())[4, 4].tolist() == pytest.approx([255, 0, 0], abs=3)


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize("gap", [0, 1])
def test_the_orientation_of_the_camera_is_undone(turned, gap):
    upright = photo(128, 64)
    undo = {5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = upright.transpose(undo.get(turned, UPRIGHT[turned])) if turned > 1 else upright
    exif = Image.Exif()
    exif[ORIENTATION] = turned
    found = decode(packed(stored, "JPEG", exif=exif.tobytes(), quality=95), Shape(size=(32, 16), reducing_gap=gap))
    expected = np.asarray(upright.resize((32, 16), Image.Resampling.LANCZOS))
    assert abs(found.astype(int) - expected).mean() < 4


def test_fits():
    wide = Image.new("L", (40, 20))
    wide.paste(255, (10, 0, 30, 20))  # the square in the middle is white
    data = packed(wide)
    assert decode(data, Shape(size=(10, 10))).min() == 255
    padded = decode(data, Shape(size=(20, 20), fit="pad", background=(7, 7, 7)))[..., 0]
    assert (padded[:5] == 7).all() and (padded[15:] == 7).all() and padded[10, 10] == 255 and padded[10, 0] == 0
    stretched = decode(data, Shape(size=(20, 20), fit="stretch"))[..., 0]
    assert stretched[:, :3].max() < 20 and stretched[:, 8:12].min() > 235
    assert decode(data, Shape(crop=(20, 20))).min() == 255
    assert decode(data, Shape(crop=(99, 10))).shape == (10, 40, 1)


@settings(max_examples=60)
@given(
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from(["crop", "pad", "stretch"]),
    st.one_of(st.none(), st.tuples(st.integers(1, 50), st.integers(1, 50))),
    st.sampled_from(["JPEG", "PNG"]),
    st.sampled_from([0, 1, 2]),
)
def test_every_picture_gets_the_size_asked_for(full, size, fit, crop, suffix, gap):
    data = packed(photo(*full), suffix)
    found = decode(data, Shape(size=size, fit=fit, crop=crop, reducing_gap=gap))
    assert found.shape == (size[1], size[0], 3)
    assert found.dtype == np.uint8


@settings(max_examples=20)
@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3]))
def test_nothing_asked_changes_nothing(w, h, c):
    pixels = np.random.default_rng(w * h).integers(0, 256, (h, w, c), np.uint8)
    assert np.array_equal(fit_pixels(pixels, Shape()), pixels)
    assert not Shape().changes(h, w, c)


def test_the_same_pixels_as_torchvision():
    transforms = pytest.importorskip("torchvision.transforms")
    theirs = transforms.Compose([transforms.CenterCrop(178), transforms.Resize(64)])
    image = photo(178, 218)
    ours = fit_pixels(np.asarray(image), Shape(size=(64, 64), crop=(178, 178), filter="bilinear"))
    assert np.array_equal(ours, np.asarray(theirs(image)))


def test_reduced_decoding_is_near_and_only_done_where_enough_is_left():
    data = packed(photo(400, 300), "JPEG", quality=95)

    def apart(size):
        near, plain = (decode(data, Shape(size=size, reducing_gap=gap)).astype(int) for gap in (2, 0))
        return abs(near - plain).mean()

    assert 0 < apart((64, 48)) < 2, "400 is more than 2 x 2 x 64: a half is enough"
    assert apart((128, 96)) == 0, "a half of 400 is less than 2 x 128"


@pytest.mark.skipif(images.simplejpeg is None, reason="simplejpeg is not installed")
@given(
    full=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    quality=st.integers(1, 95),
    subsampling=st.sampled_from(["4:4:4", "4:2:2", "4:2:0"]),
    progressive=st.booleans(),
    fit=st.sampled_from(["crop", "pad", "stretch"]),
    gap=st.sampled_from([0, 1, 2]),
)
def test_a_jpeg_gives_the_same_pixels_with_simplejpeg_and_without(full, fit, gap, **kept):
    data = packed(photo(*full), "JPEG", **kept)
    shape = Shape(size=(16, 16), fit=fit, reducing_gap=gap)
    assert _quick(data, shape) is not None
    quick = decode(data, shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "simplejpeg", None)
        assert np.array_equal(decode(data, shape), quick)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\xff\xd8\xff\xe0", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x00" * 100])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(UnreadableError):
        decode(data, Shape())


def test_too_many_pixels_are_refused_by_the_header():
    for side in (9_000, 60_000, 2_000_000_000):
        with pytest.raises(UnreadableError, match=r"more than|damaged"):
            decode(png_header(side, side), Shape())


def test_pillow_prints_no_warnings():
    with pytest.warns(Image.DecompressionBombWarning), Image.open(io.BytesIO(png_header(10_000, 10_000))):
        pass  # or this tests nothing
    with warnings.catch_warnings(record=True) as printed, pytest.raises(UnreadableError, match="10000x10000"):
        warnings.simplefilter("always")
        decode(png_header(10_000, 10_000), Shape())
    assert not printed


@pytest.mark.parametrize("name", images.FILTERS)
def test_each_filter(name):
    pixels = np.kron(np.eye(8, dtype=np.uint8) * 255, np.ones((2, 2), np.uint8))[..., None]
    found = fit_pixels(pixels, Shape(size=(8, 8), filter=name))[..., 0]
    assert found.diagonal().min() > 150
    assert (set(np.unique(found)) <= {0, 255}) == (name in ("nearest", "box"))
