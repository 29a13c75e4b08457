package account

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
)

// upload sends a file as the page of the profile does.
func upload(t *testing.T, b *harness.Browser, file []byte) harness.Page {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("picture", "me.png")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, b.Server.Issuer+"/account/picture", &body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Origin", b.Server.Issuer)
	response, err := b.Do(request)
	return harness.ReadPage(t, response, err)
}

// A picture that somebody uploads is told to apps by its address, is in the file of their data, and goes with them.
func TestUploadedPicture(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, b := h.AddClient(t, nil), h.NewBrowser(t)
		access := h.Redeem(t, client, b.Code(t, client, url.Values{"scope": {"openid profile"}})).Text("access_token")
		var file bytes.Buffer
		if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 30, 20))); err != nil {
			t.Fatal(err)
		}
		if shown := upload(t, b, []byte("<script>")); shown.StatusCode != http.StatusUnprocessableEntity ||
			!strings.Contains(shown.Text, "not a picture that we can read") {
			t.Errorf("what is no picture: %s\n%s", shown.Status, shown.Text)
		}
		shown := upload(t, b, file.Bytes())
		address, _ := h.Userinfo(t, access).JSON["picture"].(string)
		path, isOurs := strings.CutPrefix(address, h.Issuer)
		if shown.StatusCode != http.StatusOK || !isOurs || !strings.Contains(shown.Text, `<img src="`+path+`"`) {
			t.Fatalf("upload: %s, %s\n%s", shown.Status, address, shown.Text)
		}
		served := h.NewBrowser(t).Get(t, path)
		if served.Header.Get("Content-Type") != "image/jpeg" || served.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("served: %s %v", served.Status, served.Header)
		}
		var kept struct{ Picture struct{ Content []byte } }
		if err := json.Unmarshal([]byte(b.Post(t, "/account/download", nil).Text), &kept); err != nil ||
			string(kept.Picture.Content) != served.Text {
			t.Errorf("the file of their data has another picture: %v", err)
		}
		if shown := h.NewBrowser(t).Post(t, "/account/picture/remove", nil); shown.Path() != "/sign-in" {
			t.Errorf("somebody who is not signed in removes a picture: at %s", shown.Path())
		}
		b.Post(t, "/account/picture/remove", nil)
		if gone := b.Get(t, path); gone.StatusCode != http.StatusNotFound {
			t.Errorf("after it was removed: %s", gone.Status)
		}
		if told := h.Userinfo(t, access).JSON["picture"]; told != nil {
			t.Errorf("apps are still told of %v", told)
		}
		upload(t, b, file.Bytes())
		b.Post(t, "/account/profile", url.Values{"picture": {"https://elsewhere.example/me.png"}})
		if gone := b.Get(t, path); gone.StatusCode != http.StatusNotFound {
			t.Errorf("after another address was given: %s", gone.Status)
		}
		for range 20 { // three went before
			shown = upload(t, b, file.Bytes())
		}
		if shown.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(shown.Text, "Too many pictures") {
			t.Errorf("the 23rd: %s", shown.Status)
		}
		if err := h.Transfer.EraseNow(t.Context(), h.User.ID); err != nil {
			t.Fatal(err)
		}
		if gone := b.Get(t, path); gone.StatusCode != http.StatusNotFound {
			t.Errorf("after the person was erased: %s", gone.Status)
		}
	})
}
