{% macro adaptive(
    advisory_mb=none, coalesce=none, skew_join=none, skew_factor=none, skew_mb=none, broadcast_mb=none
) %}
    {%- set conf, sql = {}, 'spark.sql.adaptive.' -%}
    {%- for name, value, least, setting in [
        ('advisory_mb', advisory_mb, 1, sql ~ 'advisoryPartitionSizeInBytes'),
        ('skew_mb', skew_mb, 1, sql ~ 'skewJoin.skewedPartitionThresholdInBytes'),
        ('broadcast_mb', broadcast_mb, 0, 'spark.sql.autoBroadcastJoinThreshold')
    ] if value is not none -%}
        {%- if value is not integer or value is boolean or value < least -%}
            {{- penstock__refuse(
                'adaptive() takes ' ~ name ~ ' as a whole number of MB, at least ' ~ least, penstock__shown(value),
                'write adaptive(' ~ name ~ '=64)'
            ) -}}
        {%- endif -%}
        {%- do conf.update({setting: value ~ 'm' if value else '-1'}) -%}
    {%- endfor -%}
    {%- for name, value, setting in [
        ('coalesce', coalesce, sql ~ 'coalescePartitions.enabled'),
        ('skew_join', skew_join, sql ~ 'skewJoin.enabled')
    ] if value is not none -%}
        {%- if value is not boolean -%}
            {{- penstock__refuse(
                'adaptive() takes ' ~ name ~ ' as true or false', penstock__shown(value),
                'write adaptive(' ~ name ~ '=true)'
            ) -}}
        {%- endif -%}
        {%- do conf.update({setting: 'true' if value else 'false'}) -%}
    {%- endfor -%}
    {%- if skew_factor is not none -%}
        {%- if skew_factor is not number or skew_factor is boolean or skew_factor < 1 -%}
            {{- penstock__refuse(
                'adaptive() takes skew_factor as a number, at least 1', penstock__shown(skew_factor),
                'write adaptive(skew_factor=5)'
            ) -}}
        {%- endif -%}
        {%- do conf.update({sql ~ 'skewJoin.skewedPartitionFactor': skew_factor | string}) -%}
    {%- endif -%}
    {%- if not conf -%}
        {{- penstock__refuse(
            'adaptive() takes at least one of advisory_mb, coalesce, skew_join, skew_factor, skew_mb, broadcast_mb',
            'none', 'write adaptive(advisory_mb=64)'
        ) -}}
    {%- endif -%}
    {{- return({'spark_conf': conf}) -}}
{% endmacro %}
