Feature: Starting

  Scenario: A service without a probe that has done its work
    Given a cluster running:
      """
      name: once
      image: "host:/bin/sh"
      args: [-c, "echo done"]
      """
    Then node1 has exited with code 0 within 5s

  Scenario: A selector of a repeated harm stands for the same node
    Given a 3-node cluster running kv
    When a follower is killed and started again 3 times
    Then all nodes are ready within 5s

  Scenario: Values with blanks and commas
    Given a cluster:
      | node | image                        | command                   | env                  |
      | a    | host:/bin/sh+/usr/bin/printenv | /usr/bin/printenv A B    | A="one, two", B='3 4' |
    Then the log of a contains "one, two" within 5s
    And the log of a contains "3 4"

  Scenario: What runs in a paused node waits with it
    Given a 2-node cluster running kv
    When node2 is paused for the next 500ms
    And I run "/kv status" on node2
    Then the command succeeds
