package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

// halves is a picture whose left half is red, and whose right half is blue.
func halves(width, height int) image.Image {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			picture.Set(x, y, color.RGBA{R: 0xff, A: 0xff})
			if x >= width/2 {
				picture.Set(x, y, color.RGBA{B: 0xff, A: 0xff})
			}
		}
	}
	return picture
}

// photo is a JPEG that says how it lies, and where it was taken.
func photo(t *testing.T, orientation uint16) []byte {
	t.Helper()
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, halves(640, 480), nil); err != nil {
		t.Fatal(err)
	}
	exif := []byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00at home")
	binary.LittleEndian.PutUint16(exif[6+8+2+8:], orientation)
	file := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	return append(file, plain.Bytes()[2:]...)
}

// What is kept is small, upright, and nothing but the picture.
func TestReadMakesASmallPicture(t *testing.T) {
	t.Parallel()
	red, blue := image.Pt(20, Side/2), image.Pt(Side-20, Side/2)
	up, down := image.Pt(Side/2, 20), image.Pt(Side/2, Side-20)
	for orientation, where := range map[uint16][2]image.Point{
		1: {red, blue}, 2: {blue, red}, 3: {blue, red}, 4: {red, blue}, 5: {up, down}, 6: {up, down}, 7: {down, up}, 8: {down, up},
		99: {red, blue},
	} {
		kept, err := Read(t.Context(), photo(t, orientation))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(kept, []byte("at home")) || bytes.Contains(kept, []byte("Exif")) || len(kept) > 60_000 {
			t.Errorf("orientation %d: more than the picture is kept, %d bytes", orientation, len(kept))
		}
		picture, err := jpeg.Decode(bytes.NewReader(kept))
		if err != nil || picture.Bounds() != image.Rect(0, 0, Side, Side) {
			t.Fatalf("kept: %v, %v", picture.Bounds(), err)
		}
		r, _, _, _ := picture.At(where[0].X, where[0].Y).RGBA()
		_, _, b, _ := picture.At(where[1].X, where[1].Y).RGBA()
		if r < 0xd000 || b < 0xd000 {
			t.Errorf("orientation %d: the picture is not upright", orientation)
		}
	}
	var clear bytes.Buffer
	if err := png.Encode(&clear, image.NewNRGBA(image.Rect(0, 0, 3, 90))); err != nil {
		t.Fatal(err)
	}
	kept, err := Read(t.Context(), clear.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	picture, err := jpeg.Decode(bytes.NewReader(kept))
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := picture.At(5, 5).RGBA(); r < 0xf000 || g < 0xf000 || b < 0xf000 {
		t.Error("what is transparent is not white")
	}
}

// What is no picture, or would fill the memory, is refused before it is read.
func TestReadRefuses(t *testing.T) {
	t.Parallel()
	var small bytes.Buffer
	if err := png.Encode(&small, halves(4, 4)); err != nil {
		t.Fatal(err)
	}
	bomb := bytes.Clone(small.Bytes()) // says that it is enormous
	binary.BigEndian.PutUint32(bomb[16:], 100_000)
	binary.BigEndian.PutUint32(bomb[20:], 100_000)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"nothing": {nil, ErrUnreadable}, "text": {[]byte("<svg onload=alert(1)>"), ErrUnreadable},
		"half": {small.Bytes()[:small.Len()/2], ErrUnreadable}, "enormous": {bomb, ErrTooLarge},
		"long": {make([]byte, MaxUpload+1), ErrTooLarge},
	} {
		if kept, err := Read(t.Context(), c.file); !errors.Is(err, c.want) || kept != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// No file makes it fail otherwise.
func FuzzOrientation(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x20Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00"))
	f.Fuzz(func(_ *testing.T, file []byte) { _ = orientationOf(file) })
}
