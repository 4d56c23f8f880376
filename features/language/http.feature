Feature: HTTP

  Background:
    Given a 2-node cluster running kv

  Scenario: A request and its answer
    When I PUT "http://node1:8080/kv/k" with "v1"
    Then the response status is 200
    And the response JSON at "key" is "k"
    And the response JSON at "position" is "1"
    And the response JSON at "by" is:
      """
      node1
      """
    And the response header "X-Position" is "1"
    When I GET "http://node1:8080/kv/k"
    Then the response body contains "v1"
    And the response body does not contain "v2"
    And the response took at most 1s

  Scenario: A body under the sentence
    When I PUT "http://node2:8080/kv/long" with:
      """
      one line
      and another
      """
    And I GET "http://node1:8080/kv/long"
    Then the response body contains:
      """
      one line
      and another
      """

  Scenario: Headers under the sentence
    When I PUT "http://node2:8080/kv/k" with "v" with:
      | X-Forwarded | node1 |
    Then the response status is 503
    And the response body contains "does not lead"

  Scenario: From inside a node's network
    When I GET "http://node1:8080/status" from node2
    Then the response JSON at "name" is "node1"

  Scenario: An answer that comes late
    When I GET "http://node1:8080/slow?for=250ms" with a time-out of 5s
    Then the response took at least 200ms
    And the response body contains "took 250ms"
    When I GET "http://node1:8080/slow?for=5s" with a time-out of 200ms
    Then the request times out

  Scenario: No answer
    When I GET "http://node1:9/"
    Then the request fails

  Scenario: Repeated until there is an answer
    Given node1 is stopped for the next 500ms
    When I GET "http://node1:8080/healthz" with a time-out of 200ms within 5s
    Then the response status is 200
