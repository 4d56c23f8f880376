Feature: The wall clock of a node
  One node's clock is wrong, for its programs and those started later; nobody else's is.

  Scenario: A clock jumps ahead, and is right again
    Given a 3-node cluster running kv
    When the clock of node2 jumps ahead by 5m
    And I GET "http://node2:8080/ahead/node1"
    Then the response JSON at "seconds" is "300"
    When I GET "http://node3:8080/ahead/node1"
    Then the response JSON at "seconds" is "0"
    When node2 is killed and started again 1 time
    Then node2 is ready within 5s
    When I GET "http://node2:8080/ahead/node1"
    Then the response JSON at "seconds" is "300"
    When the clock of node2 is right again
    And I GET "http://node2:8080/ahead/node1"
    Then the response JSON at "seconds" is "0"

  Scenario: Jumps add up, and each node has its own
    Given a 3-node cluster running kv
    When the clocks of node1 and node2 jump back by 1h
    And the clock of node2 jumps ahead by 2h
    And I GET "http://node1:8080/ahead/node3"
    Then the response JSON at "seconds" is "-3600"
    When I GET "http://node2:8080/ahead/node3"
    Then the response JSON at "seconds" is "3600"
    When the clock of node2 is right again
    And I GET "http://node1:8080/ahead/node2"
    Then the response JSON at "seconds" is "-3600"
    When everything heals
    And I GET "http://node1:8080/ahead/node2"
    Then the response JSON at "seconds" is "0"

  Scenario: Redis, a C program, forgets a key too early when its clock jumps
    Given a 1-node cluster running redis
    When I run "redis-cli set session alice ex 60" on node1
    Then the command succeeds
    And a read of "session" from node1 returns "alice"
    When the clock of node1 jumps ahead by 5m
    Then a read of "session" from node1 returns nothing

  Scenario: Redis keeps a key for too long when its clock is slow
    Given a 1-node cluster running redis
    When the clock of node1 runs 50% slow
    And I run "redis-cli set session alice px 3000" on node1
    Then the command succeeds
    And a read of "session" from node1 returns "alice" for 3500ms
    And a read of "session" from node1 returns nothing within 5s

  Scenario: Redis forgets a key too early when its clock is fast
    Given a 1-node cluster running redis
    When I run "redis-cli set session alice px 8000" on node1
    And the clock of node1 runs 100% fast for the next 30s
    Then the command succeeds
    And a read of "session" from node1 returns nothing within 6s
