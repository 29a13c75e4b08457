package commands

import (
	"slices"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

type printedGroup struct {
	Slug    string   `json:"slug"`
	Name    string   `json:"name"`
	Source  string   `json:"source"`
	Roles   []string `json:"roles"`
	Members []struct {
		Username string   `json:"username"`
		Sources  []string `json:"sources"`
		ID       string   `json:"id"`
	} `json:"members"`
}

func TestGroupCommands(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		t.Parallel()
		line, _ := harness.NewCommandLine(t, databaseURL)
		for _, name := range []string{"alice", "bob"} {
			line.JSON(t, &harness.PrintedUser{}, "", "user", "create", "--username", name)
		}
		var group printedGroup
		line.JSON(t, &group, "", "group", "create", "staff", "--name", "Everybody here")
		if group.Slug != "staff" || group.Name != "Everybody here" || group.Source != "here" {
			t.Errorf("made %+v", group)
		}
		for _, name := range []string{"alice", "bob"} {
			line.JSON(t, &harness.PrintedUser{}, "", "group", "add", "staff", name)
		}
		line.JSON(t, &group, "", "group", "role", "grant", "staff", "employee")
		line.JSON(t, &harness.PrintedUser{}, "", "role", "grant", "alice", "admin")

		line.JSON(t, &group, "", "group", "show", "staff", "--limit", "1")
		if len(group.Members) != 1 || group.Members[0].Username != "alice" ||
			!slices.Equal(group.Roles, []string{"employee"}) {
			t.Errorf("shown %+v", group)
		}
		line.JSON(t, &group, "", "group", "show", "staff", "--after", group.Members[0].ID)
		if len(group.Members) != 1 || group.Members[0].Username != "bob" {
			t.Errorf("after the first: %+v", group)
		}
		var roles []struct{ Role, Group string }
		line.JSON(t, &roles, "", "role", "list", "alice")
		if len(roles) != 2 || roles[0].Role != "admin" || roles[0].Group != "" || roles[1].Role != "employee" ||
			roles[1].Group != "staff" {
			t.Errorf("alice's roles are %+v", roles)
		}
		var shown struct{ Roles, Groups []string }
		line.JSON(t, &shown, "", "user", "show", "alice")
		if strings.Join(shown.Roles, " ")+"; "+strings.Join(shown.Groups, " ") != "admin employee; staff" {
			t.Errorf("alice is shown with %+v", shown)
		}

		var client struct {
			ID           string   `json:"client_id"`
			Access       string   `json:"access"`
			AccessGroups []string `json:"access_groups"`
			GroupsClaim  string   `json:"groups_claim"`
			Groups       string   `json:"groups"`
		}
		line.JSON(t, &client, "", "client", "create", "--name", "App", "--redirect-uri", harness.RedirectURI, "--access",
			"listed", "--access-group", "staff", "--groups-claim", "memberOf", "--groups", "access")
		line.JSON(t, &client, "", "client", "show", client.ID)
		if client.Access != "listed" || !slices.Equal(client.AccessGroups, []string{"staff"}) ||
			client.GroupsClaim != "memberOf" || client.Groups != "access" {
			t.Errorf("the app is %+v", client)
		}

		line.JSON(t, &group, "", "group", "update", "staff", "--name", "All of us")
		for _, c := range []struct {
			exit int
			says string
			args []string
		}{
			{4, "already", []string{"group", "create", "staff"}},
			{1, "lower-case", []string{"group", "create", "Not A Slug"}},
			{4, "already", []string{"group", "add", "staff", "alice"}},
			{3, `no group "nope"`, []string{"group", "add", "nope", "alice"}},
			{3, "nobody is registered", []string{"group", "add", "staff", "carol"}},
			{0, "", []string{"group", "remove", "staff", "alice"}},
			{4, "not in the group", []string{"group", "remove", "staff", "alice"}},
			{4, "already", []string{"group", "role", "grant", "staff", "employee"}},
			{0, "", []string{"group", "role", "revoke", "staff", "employee"}},
			{4, "does not have", []string{"group", "role", "revoke", "staff", "employee"}},
			{3, `no group "nope"`, []string{"group", "update", "nope", "--name", "x"}},
			{2, "", []string{"group", "update", "staff"}},
			{3, `no group "nope"`, []string{"client", "update", client.ID, "--access-group", "nope"}},
			{1, "means something else", []string{"client", "update", client.ID, "--groups-claim", "email"}},
			{1, "prefix:", []string{"client", "update", client.ID, "--groups", "some"}},
			{1, "everyone", []string{"client", "update", client.ID, "--access", "everyone"}}, // and told those listed
			{0, "", []string{"client", "update", client.ID, "--access", "everyone", "--groups", "prefix:app-"}},
			{1, "everyone", []string{"client", "update", client.ID, "--access-group", "staff"}},
			{0, "nobody may use", []string{"client", "update", client.ID, "--access", "listed"}},
			{0, "", []string{"group", "delete", "staff", "--yes"}},
			{3, `no group "staff"`, []string{"group", "delete", "staff", "--yes"}},
		} {
			p := line.Run(t, "", c.args...)
			if p.ProcessState.ExitCode() != c.exit || !strings.Contains(p.ErrOut.String(), c.says) {
				t.Errorf("wicket %s: %s, %s", strings.Join(c.args, " "), p.ProcessState, &p.ErrOut)
			}
		}
		type entry struct{ Entity, Action string }
		var trail []entry
		line.JSON(t, &trail, "", "audit", "list", "--limit", "100")
		for _, want := range []string{
			"group created", "group changed", "group deleted", "group_member added", "group_member removed",
			"group_role granted", "group_role revoked",
		} {
			if !slices.ContainsFunc(trail, func(e entry) bool { return e.Entity+" "+e.Action == want }) {
				t.Errorf("the audit trail lacks: %s", want)
			}
		}
		removed := 0 // alice by the command, bob with the group
		for _, entry := range trail {
			if entry.Entity+" "+entry.Action == "group_member removed" {
				removed++
			}
		}
		if removed != 2 {
			t.Errorf("%d lines say that somebody is out", removed)
		}
	})
}
