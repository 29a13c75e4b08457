package pages

// Profile is where a person says who they are. It posts the fields of its sections, all of which may be empty, to
// /account/profile.
type Profile struct {
	Head     AccountHead
	Values   map[string]string // what is in the fields, by name
	Failures map[string]string // what is wrong, by the name of the field
	Notice   string
	Failure  string
}

// ProfileSection is a part of the form.
type ProfileSection struct {
	ID, Title string
	Fields    []TextField
}

// Sections are the parts of the form. The names of the fields are those of the claims of OpenID Connect.
func (p Profile) Sections() []ProfileSection {
	focused := false
	section := func(id, title string, fields ...TextField) ProfileSection {
		return ProfileSection{id, title, fill(fields, p.Values, p.Failures, &focused)}
	}
	return []ProfileSection{
		section("names", "What you are called",
			TextField{Name: "name", Label: "Full name", Autocomplete: "name", MaxLength: 200},
			TextField{Name: "nickname", Label: "Nickname", Autocomplete: "nickname", MaxLength: 100},
			TextField{Name: "given_name", Label: "Given name", Autocomplete: "given-name", MaxLength: 100},
			TextField{Name: "middle_name", Label: "Middle name", Autocomplete: "additional-name", MaxLength: 100},
			TextField{Name: "family_name", Label: "Family name", Autocomplete: "family-name", MaxLength: 100}),
		section("about", "About you",
			TextField{
				Name: "birthdate", Label: "Date of birth", Autocomplete: "bday", MaxLength: 10,
				Hint: "1990-12-31, or 1990 alone, or 0000-12-31 without the year",
			},
			TextField{Name: "gender", Label: "Gender", Autocomplete: "sex", MaxLength: 100, Hint: "In your own words"},
			TextField{
				Name: "locale", Label: "Language", Autocomplete: "language", MaxLength: 35,
				Hint: "A language tag, such as en or de-CH",
			},
			TextField{Name: "zoneinfo", Label: "Time zone", Autocomplete: "off", MaxLength: 64, Hint: "Continent and city, such as Europe/Berlin"}),
		section("web", "On the web",
			TextField{Name: "website", Label: "Website", Type: "url", Autocomplete: "url", MaxLength: 2000},
			TextField{Name: "profile", Label: "Page about you", Type: "url", Autocomplete: "off", MaxLength: 2000},
			TextField{
				Name: "picture", Label: "Address of a picture of you", Type: "url", Autocomplete: "photo", MaxLength: 2000,
			}),
		section("postal", "Postal address",
			TextField{
				Name: "street_address", Label: "Street and number", Autocomplete: "street-address", Rows: 2, MaxLength: 500,
			},
			TextField{Name: "postal_code", Label: "Postal code", Autocomplete: "postal-code", MaxLength: 100},
			TextField{Name: "locality", Label: "Town", Autocomplete: "address-level2", MaxLength: 200},
			TextField{Name: "region", Label: "State or region", Autocomplete: "address-level1", MaxLength: 200},
			TextField{Name: "country", Label: "Country", Autocomplete: "country-name", MaxLength: 200},
			TextField{Name: "formatted", Label: "As it stands on an envelope", Autocomplete: "off", Rows: 2, MaxLength: 500}),
	}
}

func (Profile) page() string { return "profile.html" }
