package groups

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/manage"
	managed "github.com/wicket-id/wicket/manage/groups"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Group is the page of one group.
type Group struct{ shell.Console }

type groupPage struct {
	shell.Screen
	URI           string
	Seen          string // the entity tag of the group as the page shows it
	Group         *managed.Group
	Members       []member
	Newest, Older string
	Username      string // as it was typed
}

type member struct {
	ID, Username, Since string
	Sources             []string
}

// Template is that of the page.
func (groupPage) Template() (pages.Templates, string) { return templates, "group.html" }

// Page shows a group and who is in it.
func (h Group) Page(v *frame.Visit, by manage.Caller) error { return h.show(v, by, http.StatusOK, "") }

func (h Group) show(v *frame.Visit, by manage.Caller, status int, failure string) error {
	slug := v.Gin.Param("slug")
	group, err := h.Groups.Show(v.Context(), by, slug)
	if err != nil {
		return err
	}
	page := groupPage{
		Screen: h.Screen(v, by, shell.Groups), URI: shell.Groups + "/" + slug, Seen: manage.ETag(group), Group: group,
		Username: v.Form.Get("username"),
	}
	page.Failure = failure
	found, err := h.Groups.Members(v.Context(), by, slug, manage.Part{Cursor: v.Gin.Query("cursor"), Limit: 100})
	if known := v.Language.Refusal(err); known != "" {
		return v.Redirect(page.URI)
	} else if err != nil {
		return err
	}
	page.Newest, page.Older = shell.Newest(v), shell.Older(v, found.Next)
	for _, m := range found.Items {
		page.Members = append(page.Members, member{
			m.UserID.String(), m.Username, frame.Ago(v, h.Now(), m.Since), others(m.Sources),
		})
	}
	return v.Show(status, page)
}

// others are the sources by which somebody is in a group, but for administrators.
func others(sources []string) (foreign []string) {
	for _, source := range sources {
		if source != groups.SourceHere {
			foreign = append(foreign, source)
		}
	}
	return foreign
}

// act is something that is done to a group by a button of its page.
func (h Group) act(done string, do func(v *frame.Visit, by manage.Caller, slug string) error) shell.Handler {
	return func(v *frame.Visit, by manage.Caller) error {
		slug := v.Gin.Param("slug")
		err := do(v, by, slug)
		if failure := v.Language.Refusal(err); failure != "" {
			return h.show(v, by, unprocessable, failure)
		} else if err != nil {
			return err
		}
		return shell.Done(v, shell.Groups+"/"+slug, done)
	}
}

// Save changes what the group is called, where it is as the page has shown it.
func (h Group) Save() shell.Handler {
	return h.act("saved", func(v *frame.Visit, by manage.Caller, slug string) error {
		settings := managed.Settings{Name: v.Form.Get("name")}
		_, err := h.Groups.Put(v.Context(), by, slug, settings, v.Form.Get("seen"), false)
		return err
	})
}

// Add puts the person with a username or a verified address into the group.
func (h Group) Add(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteGroups); err != nil {
		return err
	}
	user, err := h.Identity.Users().Find(v.Context(), v.Form.Get("username"))
	if errors.Is(err, storage.ErrNotFound) {
		return h.show(v, by, unprocessable, v.Language.Text("console.groups.no_such_person"))
	} else if err != nil {
		return err
	}
	return h.act("member-added", func(v *frame.Visit, by manage.Caller, slug string) error {
		return h.Groups.AddMember(v.Context(), by, slug, user.ID)
	})(v, by)
}

// Remove takes a person out of the group.
func (h Group) Remove() shell.Handler {
	return h.act("member-removed", func(v *frame.Visit, by manage.Caller, slug string) error {
		id, err := uuid.Parse(v.Form.Get("member"))
		if err != nil {
			return frame.ErrForm
		}
		err = h.Groups.RemoveMember(v.Context(), by, slug, id)
		if errors.Is(err, groups.ErrNotMember) {
			return nil
		}
		return err
	})
}

// GrantRole gives everybody in the group a role.
func (h Group) GrantRole() shell.Handler {
	return h.act("role-granted", func(v *frame.Visit, by manage.Caller, slug string) error {
		return h.Groups.GrantRole(v.Context(), by, slug, v.Form.Get("role"))
	})
}

// RevokeRole takes it from them.
func (h Group) RevokeRole() shell.Handler {
	return h.act("role-revoked", func(v *frame.Visit, by manage.Caller, slug string) error {
		err := h.Groups.RevokeRole(v.Context(), by, slug, v.Form.Get("role"))
		if errors.Is(err, groups.ErrRoleNotHeld) {
			return nil
		}
		return err
	})
}

// ConfirmDeletion asks before a group is deleted.
func (h Group) ConfirmDeletion(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteGroups); err != nil {
		return err
	}
	group, err := h.Groups.Show(v.Context(), by, v.Gin.Param("slug"))
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, h.askDeletion(v, by, group))
}

func (h Group) askDeletion(v *frame.Visit, by manage.Caller, group *managed.Group) shell.Confirm {
	return shell.Confirm{
		Screen: h.Screen(v, by, shell.Groups),
		Title:  v.Language.Text("console.groups.delete_of", locales.Params{"Group": group.Name}),
		Text:   v.Language.Text("console.groups.delete_text"), Typed: group.Slug,
		Action: shell.Groups + "/" + group.Slug + "/delete", Button: v.Language.Text("console.groups.delete"),
		Back: shell.Groups + "/" + group.Slug,
	}
}

// Delete removes a group, whose slug was typed.
func (h Group) Delete(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteGroups); err != nil {
		return err
	}
	group, err := h.Groups.Show(v.Context(), by, v.Gin.Param("slug"))
	if err != nil {
		return err
	}
	if v.Form.Get("typed") != group.Slug {
		page := h.askDeletion(v, by, group)
		page.Failure = v.Language.Text("console.typed_wrong")
		return v.Show(unprocessable, page)
	}
	if err := h.Groups.Delete(v.Context(), by, group.Slug); err != nil {
		return err
	}
	return shell.Done(v, shell.Groups, "group-deleted")
}
