package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	_ "image/gif" // what people upload
	"image/jpeg"
	_ "image/png" // likewise

	"github.com/wicket-id/wicket/identity/refusal"
)

const (
	// MaxUpload is how large a file may be, in bytes.
	MaxUpload = 8 << 20
	// Side is how wide and high a picture is that we keep.
	Side = 320

	maxPixels = 16_000_000 // of what is sent: a picture is in memory while it is read, with up to 8 bytes for each
	samples   = 4          // in each direction, of which a pixel is the mean
	quality   = 85         // of the JPEG: 20 KB or so
)

// What can be wrong with what somebody uploads.
var (
	ErrUnreadable = refusal.New("picture.unreadable", "not a JPEG, PNG or GIF")
	ErrTooLarge   = refusal.New("picture.size", "the picture has more than 8 MB or 16 million pixels")
	ErrTooMany    = refusal.New("picture.limit", "a person uploads twenty pictures in an hour at most")
)

// turn lets one picture be read at a time: each takes memory.
var turn = make(chan struct{}, 1)

// Read makes the picture that is kept of what somebody has sent: the middle square of it, Side points wide, upright, as
// a JPEG. Nothing else of the file is left, such as where it was taken. It returns ErrUnreadable or ErrTooLarge, or the
// error of ctx where others take too long.
func Read(ctx context.Context, file []byte) ([]byte, error) {
	if len(file) > MaxUpload {
		return nil, ErrTooLarge
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(file))
	switch {
	case err != nil || config.Width <= 0 || config.Height <= 0:
		return nil, ErrUnreadable
	case config.Width > maxPixels/config.Height:
		return nil, ErrTooLarge
	}
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	from, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, ErrUnreadable
	}
	orientation := 1
	if format == "jpeg" {
		orientation = orientationOf(file)
	}
	var small bytes.Buffer
	if err := jpeg.Encode(&small, square(from, orientation), &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	return small.Bytes(), nil
}

// square is the middle of a picture, on white, turned as its orientation says.
func square(from image.Image, orientation int) image.Image {
	bounds := from.Bounds()
	edge := min(bounds.Dx(), bounds.Dy())
	left, top := bounds.Min.X+(bounds.Dx()-edge)/2, bounds.Min.Y+(bounds.Dy()-edge)/2
	to := image.NewRGBA(image.Rect(0, 0, Side, Side))
	const fine = Side * samples
	for y := range Side {
		for x := range Side {
			var sum [3]uint32
			for i := range samples * samples {
				u, v := turned(x*samples+i%samples, y*samples+i/samples, fine, orientation)
				r, g, b, a := from.At(left+u*edge/fine, top+v*edge/fine).RGBA()
				white := 0xffff - a
				sum[0], sum[1], sum[2] = sum[0]+r+white, sum[1]+g+white, sum[2]+b+white
			}
			const mean = samples * samples << 8
			to.SetRGBA(x, y, color.RGBA{uint8(sum[0] / mean), uint8(sum[1] / mean), uint8(sum[2] / mean), 0xff})
		}
	}
	return to
}

// turned is where in a picture of side points that lies as orientation says (Exif 2.3, 4.6.4: 1 to 8) the point x, y of
// the upright one is.
func turned(x, y, side, orientation int) (u, v int) {
	last := side - 1
	switch orientation {
	case 2:
		return last - x, y
	case 3:
		return last - x, last - y
	case 4:
		return x, last - y
	case 5:
		return y, x
	case 6:
		return y, last - x
	case 7:
		return last - y, last - x
	case 8:
		return last - y, x
	}
	return x, y
}

// orientationOf reads how a JPEG lies: the tag 0x0112 of its Exif part; 1 where it does not say.
func orientationOf(file []byte) int {
	for at := 2; at+4 <= len(file) && file[at] == 0xff && file[at+1] != 0xda; {
		length := int(binary.BigEndian.Uint16(file[at+2:]))
		end := at + 2 + length
		if length < 2 || end > len(file) {
			return 1
		}
		if exif, ok := bytes.CutPrefix(file[at+4:end], []byte("Exif\x00\x00")); ok && file[at+1] == 0xe1 {
			return orientationIn(exif)
		}
		at = end
	}
	return 1
}

func orientationIn(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	first := int(order.Uint32(tiff[4:]))
	if first < 8 || first+2 > len(tiff) {
		return 1
	}
	for i := range int(order.Uint16(tiff[first:])) {
		entry := first + 2 + 12*i
		if entry+12 > len(tiff) {
			return 1
		}
		if order.Uint16(tiff[entry:]) == 0x0112 {
			return int(order.Uint16(tiff[entry+8:]))
		}
	}
	return 1
}
