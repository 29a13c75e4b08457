package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/manage/verbs"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/web/api"
	"github.com/wicket-id/wicket/web/frame"
)

var update = flag.Bool("update", false, "write the description anew")

const golden = "testdata/openapi.json"

// Clients are made from the description: whoever changes it sees how. go test ./web/api -update writes it anew.
func TestDescriptionIsAsKnown(t *testing.T) {
	t.Parallel()
	f, err := frame.New(frame.Config{
		Provider: &oidc.Provider{Issuer: "https://id.example.com"}, Limits: &cache.Limits{},
	})
	if err != nil {
		t.Fatal(err)
	}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	api.Routes(engine, f, verbs.Set{})
	recorder := httptest.NewRecorder()
	engine.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, api.PathOpenAPI, nil))
	var described bytes.Buffer
	if err := json.Indent(&described, recorder.Body.Bytes(), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, recorder.Body)
	}
	described.WriteByte('\n')
	if *update {
		if err := os.WriteFile(golden, described.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	known, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(known, described.Bytes()) {
		t.Errorf("the API is described in another way than in %s; if that is right, write it anew with -update", golden)
	}
}
