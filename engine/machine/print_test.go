package machine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine/program"
)

func TestPrint(t *testing.T) {
	show := func(p *program.Program, events string) {
		fmt.Println("-----")
		fmt.Println(strings.Join(tell(t, p, trimStory(events)), "\n"))
	}
	show(giving(playbook(look("list"), eachCall("contain", "steps.list.users", call("suspend", "change", with("id=item.id")))), "n=steps.list.n"), `
start {}
done list {"users":[{"id":"a","email":"a@x"},{"id":"b","email":null}],"n":2}
done contain[0] {} done
done contain[1] {} unchanged
`)
}
