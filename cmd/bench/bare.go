package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// bareSweep is the floor of a sweep: it pages and decodes the same as the
// provider does, keeps what the playbook keeps, and minds nothing else.
func bareSweep(ctx context.Context, base, account string) error {
	token, err := bareToken(ctx, base)
	if err != nil {
		return fmt.Errorf("getting a token: %w", err)
	}
	var kept []bareUser
	for next := ""; ; {
		var page barePage
		query := url.Values{"max_page_size": {"1000"}}
		if next != "" {
			query.Set("page_token", next)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/v1/accounts/"+account+"/users?"+query.Encode(), http.NoBody)
		if err != nil {
			return fmt.Errorf("reading a page: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		if err := bareCall(req, &page); err != nil {
			return fmt.Errorf("reading a page: %w", err)
		}
		for _, u := range page.Results {
			if strings.HasPrefix(u.Email, "mara.l") && u.State == "ACTIVE" {
				kept = append(kept, u)
			}
		}
		if next = page.Next; next == "" {
			break
		}
	}
	if len(kept) == 0 {
		return errors.New("nobody was found")
	}
	return nil
}

type barePage struct {
	Results []bareUser `json:"results"`
	Next    string     `json:"next_page_token"`
}

type bareUser struct {
	ID      string    `json:"id"`
	Email   string    `json:"email"`
	Name    string    `json:"display_name"`
	State   string    `json:"state"`
	Created time.Time `json:"create_time"`
}

func bareToken(ctx context.Context, base string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/oauth/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(os.Getenv("OP_CLIENT_ID"), os.Getenv("OP_CLIENT_SECRET"))
	var answer struct {
		Token string `json:"access_token"`
	}
	err = bareCall(req, &answer)
	return answer.Token, err
}

func bareCall(req *http.Request, answer any) error {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the tenant answered %s", resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}
