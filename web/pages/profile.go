package pages

import (
	"slices"

	"github.com/wicket-id/wicket/web/locales"
)

// Profile is where a person says who they are. It posts a file, picture, to /account/picture, nothing to
// /account/picture/remove, and the fields of its sections, all of which may be empty, to
// /account/profile.
type Profile struct {
	Head     AccountHead
	Values   map[string]string // what is in the fields, by name
	Failures map[string]string // what is wrong, by the name of the field
	Notice   string
	Failure  string

	WrongPicture string // why an uploaded picture was refused, or ""
}

// ProfileSection is a part of the form.
type ProfileSection struct {
	ID     string
	Title  locales.Key
	Fields []TextField
	Folded bool // few people fill it in
}

// Open tells whether a folded part is shown all the same: something in it is wrong.
func (s ProfileSection) Open() bool {
	return slices.ContainsFunc(s.Fields, func(f TextField) bool { return f.Failure != "" })
}

// Sections are the parts of the form. The names of the fields are those of the claims of OpenID Connect.
func (p Profile) Sections() []ProfileSection {
	focused := false
	section := func(id string, title locales.Key, folded bool, fields ...TextField) ProfileSection {
		return ProfileSection{id, title, fill(fields, p.Values, p.Failures, &focused), folded}
	}
	return []ProfileSection{
		section("names", locales.Key("profile.section_names"), false, names()...),
		section("about", locales.Key("profile.section_about"), false, about()...),
		section("more", locales.Key("profile.section_more"), true, more()...),
		section("postal", locales.Key("profile.section_postal"), true, postal()...),
	}
}

func names() []TextField {
	return []TextField{
		{Name: "name", Label: locales.Key("profile.field.name"), Autocomplete: "name", MaxLength: 200},
		{
			Name: "nickname", Label: locales.Key("profile.field.nickname"),
			Autocomplete: "nickname", MaxLength: 100,
		},
		{
			Name: "given_name", Label: locales.Key("profile.field.given_name"),
			Autocomplete: "given-name", MaxLength: 100,
		},
		{
			Name: "family_name", Label: locales.Key("profile.field.family_name"),
			Autocomplete: "family-name", MaxLength: 100,
		},
	}
}

func about() []TextField {
	return []TextField{
		{
			Name: "picture", Label: locales.Key("profile.field.picture"),
			Type: "url", Autocomplete: "photo", MaxLength: 2000,
		},
		{
			Name: "birthdate", Label: locales.Key("profile.field.birthdate"), Autocomplete: "bday", MaxLength: 10,
			Hint: locales.Key("profile.hint.birthdate"),
		},
		{
			Name: "locale", Label: locales.Key("profile.field.locale"), Autocomplete: "language", MaxLength: 35,
			Hint: locales.Key("profile.hint.locale"),
		},
		{
			Name: "zoneinfo", Label: locales.Key("profile.field.zoneinfo"),
			Autocomplete: "off", MaxLength: 64, Hint: locales.Key("profile.hint.zoneinfo"),
		},
	}
}

func more() []TextField {
	return []TextField{
		{
			Name: "middle_name", Label: locales.Key("profile.field.middle_name"),
			Autocomplete: "additional-name", MaxLength: 100,
		},
		{
			Name: "gender", Label: locales.Key("profile.field.gender"),
			Autocomplete: "sex", MaxLength: 100, Hint: locales.Key("profile.hint.gender"),
		},
		{
			Name: "website", Label: locales.Key("profile.field.website"), Type: "url",
			Autocomplete: "url", MaxLength: 2000,
		},
		{
			Name: "profile", Label: locales.Key("profile.field.page"), Type: "url",
			Autocomplete: "off", MaxLength: 2000,
		},
	}
}

func postal() []TextField {
	return []TextField{
		{
			Name: "street_address", Label: locales.Key("profile.field.street_address"),
			Autocomplete: "street-address", Rows: 2, MaxLength: 500,
		},
		{
			Name: "postal_code", Label: locales.Key("profile.field.postal_code"),
			Autocomplete: "postal-code", MaxLength: 100,
		},
		{
			Name: "locality", Label: locales.Key("profile.field.locality"),
			Autocomplete: "address-level2", MaxLength: 200,
		},
		{
			Name: "region", Label: locales.Key("profile.field.region"),
			Autocomplete: "address-level1", MaxLength: 200,
		},
		{
			Name: "country", Label: locales.Key("profile.field.country"),
			Autocomplete: "country-name", MaxLength: 200,
		},
		{
			Name: "formatted", Label: locales.Key("profile.field.formatted"),
			Autocomplete: "off", Rows: 2, MaxLength: 500,
		},
	}
}

func (Profile) Template() (Templates, string) { return templates, "profile.html" }
