package postgres

import (
	"fmt"
	"strings"

	"github.com/sluice-go/sluice/store"
)

// closed is the condition that no execution of an instance may be claimed: it is paused, or
// unserved.
func closed(instance string, place int) string {
	return fmt.Sprintf("EXISTS (SELECT FROM instances i WHERE i.id = %s AND (i.paused OR %s))", instance, otherVersion(place))
}

// unserved is the condition that an instance is deployed in a version that the worker does
// not serve. The parameters at the place and after it are what serves returns.
func unserved(instance string, place int) string {
	return fmt.Sprintf("EXISTS (SELECT FROM instances i WHERE i.id = %s AND %s)", instance, otherVersion(place))
}

func otherVersion(place int) string {
	return fmt.Sprintf(`$%d::text[] IS NOT NULL AND NOT EXISTS (
		SELECT FROM unnest($%[1]d::text[], $%[2]d::text[]) AS v (integration, version)
		WHERE v.integration = i.integration AND v.version = i.version)`, place, place+1)
}

func placeholder(place int) string { return fmt.Sprintf("$%d::text", place) }

// closedTo is closed for an acceptance, whose integration is known: versions, which versionsOf
// returns, are those that the worker has of it.
func closedTo(instance, versions string) string {
	return fmt.Sprintf("EXISTS (SELECT FROM instances i WHERE i.id = %s AND (i.paused OR i.version <> ALL(%s::text[])))", instance, versions)
}

// serves are the integrations that a worker serves, and their versions, as parameters; NULL
// is everything.
func serves(worker store.Worker) []any {
	if len(worker.Serves) == 0 {
		return []any{nil, nil}
	}
	var integrations, versions []string
	for _, v := range worker.Serves {
		integrations, versions = append(integrations, encodeText(v.Integration)), append(versions, encodeText(v.Version))
	}
	return []any{integrations, versions}
}

var quotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// versionsOf are the versions of an integration that a worker serves, as the text of an array;
// NULL is everything.
func versionsOf(worker store.Worker, integration string) *string {
	if len(worker.Serves) == 0 {
		return nil
	}
	var quoted []string
	for _, v := range worker.Serves {
		if v.Integration == integration {
			quoted = append(quoted, `"`+quotes.Replace(encodeText(v.Version))+`"`)
		}
	}
	text := "{" + strings.Join(quoted, ",") + "}"
	return &text
}
