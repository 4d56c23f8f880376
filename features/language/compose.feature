Feature: A Compose file

  Background:
    Given the cluster in "compose.yaml"

  Scenario: Services are nodes, in the order of depends_on
    Then web and store are ready
    And seed has exited with code 0
    And the log of reader contains "hello from the host" within 2s
    When I GET "http://web:8080/"
    Then the response status is 200
    When I GET "http://shop-store:8080/status" from web
    Then the response JSON at "name" is "store"

  Scenario: They are harmed as other nodes are
    Given web cannot reach store
    When I GET "http://web:8080/" with a time-out of 1s
    Then the request times out
    And web is ready

  Scenario: A volume fails, and outlives a kill
    When I run "/kv put k v1" on store
    And the disk of store is full
    And I run "/kv put k v2" on store
    Then the command fails
    When the disk of store recovers
    And store is killed
    And store is started again
    And store is ready within 5s
    And I run "/kv get k" on store
    Then its output contains "v1"

  Scenario: A service has no more memory than the file gives it
    When I POST "http://store:8080/eat/200" with ""
    Then the request fails
    And store was killed for lack of memory within 5s
