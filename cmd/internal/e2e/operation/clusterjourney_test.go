package operation

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Three replicas that take turns are one Wicket to whoever comes: to a person with a browser, to fifty at once whose
// every step is another replica's, to those whose sessions end, and to apps that work on while keys rotate and replicas
// stop, die and start.
func TestThreeReplicasAreOneWicket(t *testing.T) {
	c := openCluster(t, 3)
	load := c.newLoad(t)
	kid, from := c.rotateKeys(t) // and meanwhile
	t.Run("browser", func(t *testing.T) { journeyInABrowser(t, c) })
	t.Run("fifty at once", func(t *testing.T) { fiftyAtOnce(t, c) })
	for name, end := range endings {
		t.Run(name, func(t *testing.T) { seenByAll(t, c, end) })
	}
	load.start(t)
	t.Run("keys rotated under load", func(t *testing.T) { load.rotatedUnderLoad(t, kid, from) })
	t.Run("rolled under load", load.rolledUnderLoad)
	t.Run("killed under load", load.killedUnderLoad)
	load.stop(t)
	c.stop(t)
}

// journeyInABrowser goes from the sample app to its tokens and out again.
func journeyInABrowser(t *testing.T, c *cluster) {
	w, app := harness.OpenWindow(t), c.StartSampleApp(t)
	w.Open(app)
	w.Press("#sign-in")
	w.SignIn(harness.Username, "not the password")
	w.Reads("#failure", "do not match")
	w.SignIn(harness.Username, harness.Password)
	w.Reads("main", "wants to use your account", "Alice Example")
	w.Press("#allow")
	w.Reads("#greeting", "Alice")
	w.Reads("#id-token", c.Issuer)
	w.Press("#refresh")
	w.Reads("#refreshes", "1")
	w.Open(c.Issuer + "/account/devices")
	w.Reads("ul.list", "This device", "127.0.0.1")
	w.Open(app)
	w.Press("#sign-out")
	w.Reads("#signed-out", "signed out")
	w.Open(c.Issuer + "/account")
	w.Reads("h1", "Sign in")
}

// fiftyAtOnce are fifty people who sign in on one replica, have their code made on another, the tokens on the third,
// and so on.
func fiftyAtOnce(t *testing.T, c *cluster) {
	client := c.AddClient(t, nil)
	people := make(chan int, 50)
	for i := range cap(people) {
		c.Register(t, identity.NewUser{
			Username: username(i), Email: username(i) + "@example.com", EmailVerified: true, Password: harness.Password,
		})
		people <- i
	}
	began := time.Now()
	took := harness.AtOnce(cap(people), func() time.Duration {
		began, i := time.Now(), <-people
		b := c.through(i).NewBrowser(t)
		var shown harness.Page
		storagetest.Eventually(t, time.Minute, "a sign-in that is not put off", func() bool {
			shown = b.SignInAs(t, username(i))
			return shown.StatusCode != http.StatusServiceUnavailable // as long as more passwords wait than a machine checks
		})
		if shown.StatusCode != http.StatusOK || !isSignedIn(t, b) {
			t.Errorf("signing in: %s\n%s", shown.Status, shown.Text)
		}
		tokens := c.through(i+2).Redeem(t, client, at(t, b, c.through(i+1)).Code(t, client, nil))
		refreshed := c.through(i).Refresh(t, client, tokens.Text("refresh_token"))
		again := c.through(i+1).Refresh(t, client, refreshed.Text("refresh_token"))
		if tokens.Status != http.StatusOK || refreshed.Status != http.StatusOK || again.Status != http.StatusOK {
			t.Errorf(
				"tokens: %d %v, %d %v, %d %v", tokens.Status, tokens.JSON, refreshed.Status, refreshed.JSON, again.Status,
				again.JSON,
			)
		}
		if info := c.through(i+2).Userinfo(t, again.Text("access_token")); info.Status != http.StatusOK ||
			info.Text("email") != username(i)+"@example.com" {
			t.Errorf("userinfo of %s: %d %v", username(i), info.Status, info.JSON)
		}
		if at(t, b, c.through(i+1)).Post(t, "/account/sign-out", nil); isSignedIn(t, at(t, b, c.through(i+2))) {
			t.Errorf("%s signed out on one replica and is signed in on another", username(i))
		}
		if a := c.through(i).Refresh(t, client, again.Text("refresh_token")); a.Text("error") != "invalid_grant" {
			t.Errorf("refreshed after the end of the session: %d %v", a.Status, a.JSON)
		}
		return time.Since(began)
	})
	slices.Sort(took)
	t.Logf(
		"fifty people in %s: the median in %s, the slowest in %s", time.Since(began).Round(time.Millisecond),
		took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond),
	)
}

func username(i int) string { return fmt.Sprintf("person-%d", i) }

var deviceID = regexp.MustCompile(`action="/account/devices/end">\s*<input type="hidden" name="id" value="([^"]+)"`)

// endings are ways in which a session ends, from another device of the same person.
var endings = map[string]func(t *testing.T, other *harness.Browser, session string){
	"an ended session": func(t *testing.T, other *harness.Browser, session string) {
		if shown := other.Post(t, "/account/devices/end", url.Values{"id": {session}}); shown.StatusCode != http.StatusOK {
			t.Fatalf("%s\n%s", shown.Status, shown.Text)
		}
	},
	"a global logout": func(t *testing.T, other *harness.Browser, _ string) {
		if shown := other.Post(t, "/account/sign-out-everywhere", nil); shown.StatusCode != http.StatusOK {
			t.Fatalf("%s\n%s", shown.Status, shown.Text)
		}
	},
}

// seenByAll ends a session on one replica and measures when the others know.
func seenByAll(t *testing.T, c *cluster, end func(t *testing.T, other *harness.Browser, session string)) {
	name := "person-" + strings.ToLower(rand.Text())
	c.Register(t, identity.NewUser{
		Username: name, Email: name + "@example.com", EmailVerified: true, Password: harness.Password,
	})
	client, device, other := c.AddClient(t, nil), c.through(0).NewBrowser(t), c.through(0).NewBrowser(t)
	device.SignInAs(t, name)
	tokens := c.Redeem(t, client, device.Code(t, client, nil))
	ids := deviceID.FindAllStringSubmatch(device.Get(t, "/account/devices").Text, -1)
	if len(ids) != 1 {
		t.Fatalf("signed in on %d devices, not one", len(ids))
	}
	knows := func(i int) (alive []string) {
		there := c.through(i)
		if isSignedIn(t, at(t, device, there)) {
			alive = append(alive, "cookie")
		}
		if there.Userinfo(t, tokens.Text("access_token")).Status == http.StatusOK {
			alive = append(alive, "access token")
		}
		if there.Call(
			t, oidc.PathIntrospect, client, url.Values{"token": {tokens.Text("access_token")}},
		).JSON["active"] == true {
			alive = append(alive, "introspection")
		}
		return alive
	}
	for i := range c.replicas {
		if alive := knows(i); len(alive) != 3 {
			t.Fatalf("replica %d knows of the session only: %v", i, alive)
		}
	}
	other.SignInAs(t, name)
	end(t, other, ids[0][1])
	began := time.Now()
	storagetest.Eventually(t, time.Second, "all replicas know", func() bool {
		return !slices.ContainsFunc([]int{0, 1, 2}, func(i int) bool { return len(knows(i)) > 0 })
	})
	t.Logf("seen by all within %s", time.Since(began).Round(time.Millisecond))
	for i := range c.replicas {
		if a := c.through(i).Refresh(t, client, tokens.Text("refresh_token")); a.Text("error") != "invalid_grant" {
			t.Errorf("refreshed by replica %d: %d %v", i, a.Status, a.JSON)
		}
	}
}
