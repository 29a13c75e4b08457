package configurationcommands

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/manage/configuration"
)

// marks are what stands before a change, by what happens.
var marks = map[string]string{"created": "+", "deleted": "-", "disabled": "-", "released": "="}

// tell prints a plan for people: a line for each change, and what they come to.
func tell(out printer.Printer, plan *configuration.Plan, what string) {
	for _, change := range plan.Changes {
		mark := marks[change.Action]
		if mark == "" {
			mark = "~"
		}
		out.Line("%s", strings.Join(append([]string{mark + " " + change.Kind + " " + change.ID}, details(change)...), "  "))
	}
	count := fmt.Sprintf("%d changes %s", len(plan.Changes), what)
	switch len(plan.Changes) {
	case 0:
		count = "Nothing " + what
	case 1:
		count = "1 change " + what
	}
	out.Line("%s; digest %s", count, plan.Digest)
}

// details are what there is to say of a change besides what it is about.
func details(change configuration.Change) (said []string) {
	switch change.Action {
	case "released":
		return []string{"(the file names it no more: it stays, and commands may change it)"}
	case "deleted", "disabled":
		if change.People == 1 {
			return []string{"(" + change.Action + "; 1 person)"}
		}
		return []string{fmt.Sprintf("(%s; %d people)", change.Action, change.People)}
	}
	for _, entry := range change.Entries {
		switch {
		case entry.Entity == "group_role" && entry.Action == "granted":
			said = append(said, fmt.Sprintf("roles + %v", entry.New["role_name"]))
		case entry.Entity == "group_role":
			said = append(said, fmt.Sprintf("roles - %v", entry.Old["role_name"]))
		case entry.Action == "changed":
			said = append(said, fields(plain(entry.Old), plain(entry.New))...)
		}
	}
	return said
}

// fields are the fields that differ.
func fields(old, shall map[string]any) (said []string) {
	for _, name := range slices.Sorted(maps.Keys(shall)) {
		was, is := old[name], shall[name]
		before, isList := was.([]any)
		after, alsoList := is.([]any)
		switch {
		case name == "secret" || name == "client_secret_changed":
			said = append(said, "secret: changed")
		case name == "declared_by":
			said = append(said, fmt.Sprintf("declared by %v", is))
		case isList && alsoList:
			items := append(differing("+", after, before), differing("-", before, after)...)
			said = append(said, strings.Join(append([]string{name}, items...), " "))
		default:
			said = append(said, name+": "+short(was)+" -> "+short(is))
		}
	}
	return said
}

// differing are the items of a list that another one lacks, each with a mark. Where there is none the order differs.
func differing(mark string, list, other []any) (items []string) {
	for _, item := range list {
		if !slices.ContainsFunc(other, func(o any) bool { return short(o) == short(item) }) {
			items = append(items, mark+" "+short(item))
		}
	}
	return items
}

// short is a value on a line.
func short(value any) string {
	if text, ok := value.(string); ok && text != "" && !strings.ContainsAny(text, " \t\n\"") {
		return text
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	const longest = 100
	if text := []rune(string(encoded)); len(text) > longest {
		return string(text[:longest]) + "..."
	}
	return string(encoded)
}

// plain are values as JSON has them.
func plain(values map[string]any) (same map[string]any) {
	encoded, err := json.Marshal(values)
	if err != nil || json.Unmarshal(encoded, &same) != nil {
		return values
	}
	return same
}
