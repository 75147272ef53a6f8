{% macro rule_applicability() -%}
    values
    {%- for rule in quality_rules() -%}
        {%- set last_rule = loop.last -%}
        {%- for service in rule.services %}
    ('{{ service }}', '{{ rule.name }}', '{{ rule.severity }}'){{ ',' if not (last_rule and loop.last) }}
        {%- endfor -%}
    {%- endfor %}
    as applicable (service_type, rule, severity)
{%- endmacro %}
