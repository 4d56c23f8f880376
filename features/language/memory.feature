Feature: Running out of memory

  Scenario: The kernel kills what takes more than its node has
    Given a cluster:
      | node  | services | memory |
      | node1 | kv       | 64 MiB |
    When I POST "http://node1:8080/eat/128" with a time-out of 5s
    Then the request fails
    And node1 was killed for lack of memory within 5s
