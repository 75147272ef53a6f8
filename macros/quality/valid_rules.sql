{#- Every checked model compiles the list, so a wrong entry fails before it affects a table. -#}
{% macro valid_rules(rules) %}
    {%- set required = ['name', 'condition', 'severity', 'services', 'description'] -%}
    {%- set keys = required + ['warn_above', 'error_above'] -%}
    {%- set names = [] -%}
    {%- for rule in rules -%}
        {%- set entry = "rule '" ~ rule['name'] ~ "'" if rule['name'] else 'rule ' ~ loop.index ~ ' of the list' -%}
        {%- set advice = 'correct ' ~ entry ~ ' in macros/quality/quality_rules.sql' -%}
        {%- for key in required if not rule[key] -%}
            {{ penstock__refuse(required | join(', ') ~ ' in every rule', 'no ' ~ key ~ ' in ' ~ entry, advice) }}
        {%- endfor -%}
        {%- for key in rule if key not in keys -%}
            {{ penstock__refuse('keys of a rule: ' ~ keys | join(', '), "'" ~ key ~ "' in " ~ entry, advice) }}
        {%- endfor -%}
        {%- set letters = 'abcdefghijklmnopqrstuvwxyz0123456789_' -%}
        {%- if rule.name is not string or rule.name | list | reject('in', letters) | list -%}
            {{ penstock__refuse(
                'a name of small letters, digits and underscores', penstock__shown(rule.name), advice
            ) }}
        {%- endif -%}
        {%- if rule.name in names -%}
            {{ penstock__refuse(
                'every name once', entry ~ ' twice', 'rename one in macros/quality/quality_rules.sql'
            ) }}
        {%- endif -%}
        {%- do names.append(rule.name) -%}
        {%- if rule.severity not in ['error', 'warn'] -%}
            {{ penstock__refuse('severity error or warn', penstock__shown(rule.severity) ~ ' in ' ~ entry, advice) }}
        {%- endif -%}
        {%- do valid_services(rule.services, advice) -%}
        {%- do valid_limits(rule, entry, advice) -%}
    {%- endfor -%}
    {{- return(rules) -}}
{% endmacro %}
