package importing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity/transfer"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// stopper ends a context once so many bytes were read.
type stopper struct {
	io.Reader
	left int
	stop func()
}

func (s *stopper) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p[:min(len(p), 64)])
	if s.left -= n; s.left < 0 {
		s.stop()
	}
	return n, err
}

// An import that is interrupted leaves whole people, and takes in the others when it is run again.
func TestImportIsResumed(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		ctx := server.AsOperator(t.Context())
		h, err := server.Beside(ctx, server.Environment{
			"WICKET_DATABASE_URL": databaseURL, "WICKET_SECRET": seal.NewMasterKey(), "WICKET_ISSUER": "https://id.example.com",
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = h.Close() }()
		const people = 60
		var file strings.Builder
		for i := range people {
			fmt.Fprintf(
				&file, `{"username":"user%d","emails":[{"address":"user%d@example.com","verified":true}],"roles":["member"]}`+"\n",
				i, i,
			)
		}
		run := func(ctx context.Context, from io.Reader) (Summary, error) {
			r := Run{Store: h.Transfer, Progress: &Progress{Out: io.Discard, Now: time.Now, Began: time.Now()},
				Refuse: func(r Refusal) error { t.Errorf("refused: %+v", r); return nil }}
			err := r.All(ctx, from)
			return r.Summary, err
		}
		stopped, stop := context.WithCancel(ctx)
		first, err := run(stopped, &stopper{strings.NewReader(file.String()), file.Len() / 2, stop})
		if !errors.Is(err, context.Canceled) || first.Imported == 0 || first.Imported == people {
			t.Fatalf("the first run: %+v, %v", first, err)
		}
		second, err := run(ctx, strings.NewReader(file.String()))
		if err != nil || second.AlreadyThere != first.Imported || second.Imported != people-first.Imported {
			t.Errorf("the second run: %+v after %+v, %v", second, first, err)
		}
		users, err := h.Identity.Users().List(ctx, [16]byte{}, 2*people)
		if err != nil || len(users) != people {
			t.Fatalf("%d people, %v", len(users), err)
		}
		for _, user := range users {
			emails, err := h.Identity.Emails().List(ctx, user.ID)
			roles, rolesErr := h.Identity.Roles().List(ctx, user.ID, false)
			if err := errors.Join(err, rolesErr); err != nil || len(emails) != 1 || len(roles) != 1 {
				t.Errorf("%s: %v %v %v", user.Username, emails, roles, err)
			}
		}
	})
}

func TestImportProgress(t *testing.T) {
	for _, c := range []struct {
		screen bool
		size   int64
		want   string
	}{
		{false, 0, "1 lines, 0 a second, 0 refused\n2 lines, 0 a second, 1 refused\n"},
		{true, 400, "\r[#####...............]  25%  1 lines, 0 a second, 0 refused\x1b[K\r[##########..........]  50%  2 lines, 0 a second, 1 refused\x1b[K" +
			"\r[##########..........]  50%  2 lines, 0 a second, 1 refused\x1b[K\n"},
	} {
		var out bytes.Buffer
		now := time.Unix(1700000000, 0)
		p := &Progress{Out: &out, Screen: c.screen, Size: c.size, Began: now, Now: func() time.Time { return now }}
		p.show(Summary{}, 0)
		now = now.Add(11 * time.Second)
		p.show(Summary{Lines: 1}, 100)
		p.show(Summary{Lines: 1}, 0)
		now = now.Add(11 * time.Second)
		p.show(Summary{Lines: 2, Refused: 1}, 100)
		p.End(Summary{Lines: 2, Refused: 1})
		if out.String() != c.want {
			t.Errorf("%q, want %q", &out, c.want)
		}
	}
}

// A line that is far too long is passed over, and the next one is read.
func TestImportPassesOverLongLines(t *testing.T) {
	r := Run{Store: &transfer.Store{}, Progress: &Progress{Out: io.Discard, Now: time.Now, Began: time.Now()}}
	var got []Refusal
	r.Refuse = func(line Refusal) error { got = append(got, line); return nil }
	endless := io.MultiReader(io.LimitReader(zeros{}, 64<<20), strings.NewReader("\n[]\n"))
	if err := r.All(t.Context(), endless); err != nil || len(got) != 2 || got[1].Line != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
