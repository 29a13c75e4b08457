package account

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/wicket-id/wicket/identity/picture"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Picture is the picture that a person uploads of themself.
type Picture struct{ *frame.Frame }

func (h Picture) store() picture.Store {
	return picture.Store{
		Database: h.Identity.Database, Profiles: h.Identity.Profiles(), Issuer: h.Provider.Issuer, Now: h.Now,
	}
}

// Upload takes one, in a form of the type multipart/form-data with the field picture.
func (h Picture) Upload(v *frame.Visit) error {
	small, err := h.read(v)
	if known := refusal.OneOf(err, picture.ErrUnreadable, picture.ErrTooLarge, picture.ErrTooMany); known != nil {
		profile, err := h.Identity.Profiles().Of(v.Context(), v.Session.UserID)
		if err != nil {
			return err
		}
		return Profile(h).show(v, http.StatusUnprocessableEntity, profile, pages.Profile{
			WrongPicture: v.Language.Refusal(known),
		})
	} else if err != nil {
		return err
	}
	if err := h.store().Set(v.Context(), v.Session.UserID, small); err != nil {
		return err
	}
	return v.Redirect("/account/profile?done=profile")
}

// uploads are as many as are read at a time, for each is in memory as a whole.
var uploads = make(chan struct{}, 8)

const (
	uploadWindow = time.Hour
	maxUploads   = 20 // of one person in uploadWindow
)

// read makes a picture of what is uploaded. It returns the errors of picture.Read, or picture.ErrTooMany.
func (h Picture) read(v *frame.Visit) ([]byte, error) {
	by := v.Session.UserID.String()
	if h.Identity.Cache.Count(v.Context(), "pictures of "+by, uploadWindow) > maxUploads {
		return nil, picture.ErrTooMany
	}
	select {
	case uploads <- struct{}{}:
		defer func() { <-uploads }()
	case <-v.Context().Done():
		return nil, v.Context().Err()
	}
	file, err := h.uploaded(v)
	if err != nil {
		return nil, err
	}
	return picture.Read(v.Context(), file)
}

// uploaded reads the file; of one that is too large, as much as shows that it is.
func (h Picture) uploaded(v *frame.Visit) ([]byte, error) {
	request := v.Gin.Request
	request.Body = http.MaxBytesReader(v.Gin.Writer, request.Body, picture.MaxUpload+64<<10)
	parts, err := request.MultipartReader()
	if err != nil {
		return nil, frame.ErrForm
	}
	for {
		part, err := parts.NextPart()
		if err != nil {
			return nil, frame.ErrForm
		}
		if part.FormName() != "picture" {
			continue
		}
		file, err := io.ReadAll(io.LimitReader(part, picture.MaxUpload+1))
		var large *http.MaxBytesError
		if err != nil && !errors.As(err, &large) {
			return nil, frame.ErrForm
		}
		return file, nil
	}
}

// Remove takes it away.
func (h Picture) Remove(v *frame.Visit) error {
	if err := h.store().Remove(v.Context(), v.Session.UserID); err != nil {
		return err
	}
	return v.Redirect("/account/profile?done=profile")
}

// forgetReplaced takes a picture away that the profile does not tell of any more: its owner has given another address.
func (h Picture) forgetReplaced(v *frame.Visit) error {
	kept, err := h.store().Of(v.Context(), v.Session.UserID)
	if err != nil || kept == nil {
		return err
	}
	profile, err := h.Identity.Profiles().Of(v.Context(), v.Session.UserID)
	if err != nil || profile.Picture == h.store().Address(kept.Digest) {
		return err
	}
	return h.store().Remove(v.Context(), v.Session.UserID)
}

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Serve answers with a picture by its digest, for people and for apps that were told its address. It is kept by others
// for an hour at the most: whoever takes it away, or is erased, wants it gone.
func (h Picture) Serve(v *frame.Visit) error {
	if !digest.MatchString(v.Gin.Param("digest")) {
		return frame.ErrNotFound
	}
	found, err := h.store().ByDigest(v.Context(), v.Gin.Param("digest"))
	if err != nil {
		return err
	} else if found == nil {
		return frame.ErrNotFound
	}
	header := v.Gin.Writer.Header()
	header.Set("Cache-Control", "public, max-age=3600")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	v.Gin.Data(http.StatusOK, picture.MediaType, found.Content)
	return nil
}
