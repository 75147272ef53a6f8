{% macro valid_limits(rule, entry, advice) %}
    {%- for level in ['warn_above', 'error_above'] -%}
        {%- set given = rule.get(level) -%}
        {%- for service in (given if given is mapping else []) if service not in rule.services -%}
            {{ penstock__refuse(
                level ~ ' for services of the rule: ' ~ rule.services | join(', '),
                penstock__shown(service) ~ ' in ' ~ entry,
                advice
            ) }}
        {%- endfor -%}
        {%- for share in (given.values() if given is mapping else [given]) if share is not none or given is mapping -%}
            {%- if share is boolean or share is not number or share < 0 or share > 1 -%}
                {{ penstock__refuse(
                    'a share from 0 to 1 as ' ~ level, penstock__shown(share) ~ ' in ' ~ entry, advice
                ) }}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for service in rule.services -%}
        {%- set warns = allowed_share(rule, 'warn_above', service) -%}
        {%- set fails = allowed_share(rule, 'error_above', service) -%}
        {%- if warns is not none and fails is not none and warns > fails -%}
            {{ penstock__refuse(
                'warn_above at most error_above', warns ~ ' above ' ~ fails ~ ' for ' ~ service ~ ' in ' ~ entry, advice
            ) }}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}
