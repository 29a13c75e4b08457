package frame

import (
	"log/slog"
	"net/http"

	"github.com/wicket-id/wicket/manage/refusals"
	"github.com/wicket-id/wicket/oidc"
)

// NoteRefusal logs what an app or the person whom it sent was refused, and why, and keeps it for those who administer.
// What our side of it could not do is logged as a fault.
func NoteRefusal(v *Visit, refused *oidc.Error) {
	if refused.Status >= http.StatusInternalServerError {
		v.LogFault(refused)
		return
	}
	about := []any{"error", refused.Code, "reason", cleanHeader(refused.Description)}
	if cause := refused.Unwrap(); cause != nil {
		about = append(about, "cause", cleanHeader(cause.Error()))
	}
	log(v, slog.LevelInfo, "refused", about...)
	if place := places[endpoint(v.Gin)]; place != "" && !isEveryday(refused) {
		v.frame.keepRefusal(v, place, refused)
	}
}

// places are where something is refused, by the first part of the path; what is not among them is not kept.
var places = map[string]string{
	"authorize": refusals.AtAuthorize, "sign-in": refusals.AtAuthorize, "second-step": refusals.AtAuthorize,
	"enrol": refusals.AtAuthorize, "register": refusals.AtAuthorize, "consent": refusals.AtAuthorize,
	"continue": refusals.AtAuthorize, "select-account": refusals.AtAuthorize, "no-access": refusals.AtAccess,
	"par": refusals.AtPAR, "token": refusals.AtToken, "introspect": refusals.AtIntrospection,
	"revoke": refusals.AtRevocation, "device_authorization": refusals.AtDevice, "device": refusals.AtDevice,
	"clients": refusals.AtRegistration, "federation": refusals.AtFederation, "arrival": refusals.AtFederation,
	"logout": refusals.AtLogout,
}

// isEveryday tells whether nothing is wrong where an app hears that: it asked whether somebody is signed in, or whether
// they have decided yet, and a person may say no.
func isEveryday(refused *oidc.Error) bool {
	switch refused.Code {
	case "login_required", "consent_required", "interaction_required", "account_selection_required",
		"authorization_pending", "slow_down":
		return true
	case "access_denied":
		return refused.Reason.Code == ""
	}
	return false
}

// NoteNoAccess keeps that a person was told that an app is not for them.
func NoteNoAccess(v *Visit, refused *oidc.Error) { v.frame.keepRefusal(v, refusals.AtAccess, refused) }

// NoteProviderRefusal keeps why a provider upstream did not sign a person in: a code, and what the log is told.
func NoteProviderRefusal(v *Visit, provider, code, why string) {
	v.frame.keepRefusal(v, refusals.AtFederation, &oidc.Error{
		Code: code, Description: why, Reason: oidc.Reason{Code: code, Got: []string{provider}},
	})
}

func (f *Frame) keepRefusal(v *Visit, place string, refused *oidc.Error) {
	record := refusals.Record{
		Place: place, Error: refused.Code, Description: refused.Description,
		Reason: refused.Reason.Code, ClientID: refused.Reason.ClientID,
		Expected: refused.Reason.Expected, Got: refused.Reason.Got,
	}
	if client := clientOf(v); client != nil {
		record.ClientID = client.ID
	}
	f.Refusals.Note(v.Context(), record)
}

// Reference is what a person reads out of a request, to whoever runs the app or this server.
func Reference(v *Visit) string { return refusals.ReferenceOf(v.RequestID()) }
