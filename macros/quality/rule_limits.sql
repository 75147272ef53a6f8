{% macro rule_limits(rules=none) -%}
    values
    {%- for rule in rules or quality_rules() -%}
        {%- set last_rule = loop.last -%}
        {%- for service in rule.services %}
    ('{{ service }}', '{{ rule.name }}'
            {%- for level in ['warn_above', 'error_above'] -%}
                {%- set share = allowed_share(rule, level, service) -%}
                , cast({{ 'null' if share is none else share }} as double)
            {%- endfor -%}
    ){{ ',' if not (last_rule and loop.last) }}
        {%- endfor -%}
    {%- endfor %}
    as limits (service_type, rule, warn_above, error_above)
{%- endmacro %}
