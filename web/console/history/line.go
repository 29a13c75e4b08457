package history

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wicket-id/wicket/manage/activity"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
)

// Line is a line of the audit trail, ready to be read.
type Line struct {
	About, AboutURI string // the person, where it is not clear whom it is about
	Sentence        string
	Thing           string // with what, or ""
	Detail          string
	Changes         []Change
	When
}

// Change is a field as it was and as it became; either may be empty.
type Change struct{ Field, Old, New string }

// Lines tells of lines of the audit trail. names are the usernames of people by id; about says that those whom they are
// about are to be named.
func Lines(v *frame.Visit, now time.Time, found []activity.Entry, names map[string]string, about bool) []Line {
	told := make([]Line, len(found))
	for i, entry := range found {
		before, after := values(entry.Old), values(entry.New)
		told[i] = Line{
			Detail: detail(v, &entry, names), When: NewWhen(v, now, entry.At), Changes: changes(before, after),
		}
		told[i].Sentence, told[i].Thing = sentence(v, &entry, before, after)
		if about && entry.UserID != nil {
			told[i].About, told[i].AboutURI = names[entry.UserID.String()], "/console/people/"+entry.UserID.String()
			if told[i].About == "" {
				told[i].About = entry.UserID.String()
			}
		}
	}
	return told
}

// People are the ids of those who are in attempts or lines, to look up their names.
func People(entries []activity.Entry, attempts []activity.Attempt) (ids []string) {
	for _, entry := range entries {
		if entry.UserID != nil {
			ids = append(ids, entry.UserID.String())
		}
		if id, ok := strings.CutPrefix(entry.Actor, "user:"); ok {
			ids = append(ids, id)
		}
	}
	for _, attempt := range attempts {
		if attempt.UserID != nil {
			ids = append(ids, attempt.UserID.String())
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func values(encoded json.RawMessage) map[string]any {
	var decoded map[string]any
	if json.Unmarshal(encoded, &decoded) != nil {
		return nil
	}
	return decoded
}

// changes are the fields in which two states differ.
func changes(before, after map[string]any) (differ []Change) {
	fields := maps.Clone(before)
	if fields == nil {
		fields = make(map[string]any)
	}
	maps.Copy(fields, after)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		old, new := text(before[field]), text(after[field])
		if old != new {
			differ = append(differ, Change{field, old, new})
		}
	}
	return differ
}

// text is a value of a line as it is read.
func text(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case float64:
		return fmt.Sprintf("%g", value)
	case []any:
		items := make([]string, len(value))
		for i, item := range value {
			items[i] = text(item)
		}
		return strings.Join(items, ", ")
	case map[string]any:
		encoded, _ := json.Marshal(value)
		return string(encoded)
	}
	return fmt.Sprint(value)
}

// detail says who did it, by which way and from where.
func detail(v *frame.Visit, entry *activity.Entry, names map[string]string) string {
	by := actor(v, entry, names)
	parts := []string{by}
	if key, ok := ways[entry.Via]; ok {
		parts = append(parts, v.Language.Text(key))
	}
	if entry.IP != "" {
		parts = append(parts, entry.IP)
	}
	return strings.Join(parts, " · ")
}

var ways = map[string]locales.Key{
	"api":     locales.Key("console.line.via_api"),
	"cli":     locales.Key("console.line.via_command"),
	"console": locales.Key("console.line.via_console"),
	"apply":   locales.Key("console.line.via_file"),
}

// actor is who did it.
func actor(v *frame.Visit, entry *activity.Entry, names map[string]string) string {
	kind, id, _ := strings.Cut(entry.Actor, ":")
	switch kind {
	case "user":
		if entry.UserID != nil && entry.UserID.String() == id {
			return v.Language.Text("console.line.by_themselves")
		}
		if name := names[id]; name != "" {
			return v.Language.Text("console.line.by", locales.Params{"Who": name})
		}
	case "api-key":
		return v.Language.Text("console.line.by_key")
	case "client":
		return v.Language.Text("console.line.by_app", locales.Params{"App": id})
	case "operator":
		if id == "" {
			return v.Language.Text("console.line.by_an_operator")
		}
		return v.Language.Text("console.line.by_operator", locales.Params{"Name": id})
	case "system":
		return v.Language.Text("console.line.by_system")
	}
	return v.Language.Text("console.line.by", locales.Params{"Who": entry.Actor})
}
