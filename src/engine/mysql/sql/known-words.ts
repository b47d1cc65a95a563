import { u8, utf8 } from '../../../base/bytes.ts';
import type { Dialect } from './dialect.ts';
import { LOWER } from './sql-bytes.ts';
import { words } from './word-list.ts';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const TABLE_SLOTS = 4_096;
const EMPTY_SLOT = 0;

// Words before a parenthesis that call nothing the server has been taught: keywords, and the functions it was born with.
// A function of somebody's own cannot have their names, unless these are quoted or have a schema before them.

const both = words(
  'abs accessible acos add adddate addtime aes_decrypt aes_encrypt against all alter analyze ' +
    'and any as asc ascii asensitive asin atan atan2 avg before benchmark between bigint bin ' +
    'binary bit_and bit_count bit_length bit_or bit_xor blob both by call cascade case cast ceil ' +
    'ceiling change char char_length character character_length charset check coalesce ' +
    'coercibility collate collation column columns compress concat concat_ws condition ' +
    'connection_id constraint continue conv convert convert_tz cos cot count crc32 create cross ' +
    'curdate current_date current_role current_time current_timestamp current_user cursor curtime ' +
    'database databases date date_add date_format date_sub datediff day day_hour day_microsecond ' +
    'day_minute day_second dayname dayofmonth dayofweek dayofyear dec decimal declare default ' +
    'degrees delayed delete desc describe deterministic distinct distinctrow div double drop dual ' +
    'each else elseif elt enclosed escaped except exists exit exp explain export_set extract ' +
    'extractvalue false fetch field find_in_set float float4 float8 floor for force foreign ' +
    'format format_bytes format_pico_time found_rows from from_base64 from_days from_unixtime ' +
    'fulltext geometrycollection get_format get_lock grant greatest group group_concat having hex ' +
    'high_priority hour hour_microsecond hour_minute hour_second if ifnull ignore in index ' +
    'inet6_aton inet6_ntoa inet_aton inet_ntoa infile inner inout insensitive insert instr int ' +
    'int1 int2 int3 int4 int8 integer intersect interval into is is_free_lock is_ipv4 ' +
    'is_ipv4_compat is_ipv4_mapped is_ipv6 is_used_lock isnull iterate join json_array ' +
    'json_array_append json_array_insert json_arrayagg json_contains json_contains_path ' +
    'json_depth json_extract json_insert json_keys json_length json_merge json_merge_patch ' +
    'json_merge_preserve json_object json_objectagg json_overlaps json_pretty json_quote ' +
    'json_remove json_replace json_schema_valid json_search json_set json_type json_unquote ' +
    'json_valid json_value key keys kill last_day last_insert_id last_value lcase leading least ' +
    'leave left length like limit linear lines linestring ln load load_file localtime ' +
    'localtimestamp locate lock log log10 log2 long longblob longtext loop low_priority lower ' +
    'lpad ltrim make_set makedate maketime master_pos_wait match max maxvalue mbrcontains ' +
    'mbrdisjoint mbrequals mbrintersects mbroverlaps mbrtouches mbrwithin md5 mediumblob ' +
    'mediumint mediumtext microsecond mid middleint min minute minute_microsecond minute_second ' +
    'mod modifies month monthname multilinestring multipoint multipolygon name_const natural ' +
    'no_write_to_binlog not now null nullif numeric oct octet_length on optimize optionally or ' +
    'ord order out outer outfile over partition period_add period_diff pi point polygon position ' +
    'pow power precision primary procedure purge quarter quote radians rand random_bytes range ' +
    'read read_write reads real recursive references regexp regexp_instr regexp_replace ' +
    'regexp_substr release release_all_locks release_lock rename repeat replace require resignal ' +
    'restrict return reverse revoke right rlike rollup round row row_count row_number rows rpad ' +
    'rtrim schema schemas sec_to_time second second_microsecond select sensitive separator ' +
    'session_user set sha sha1 sha2 show sign signal sin sleep smallint some soundex space ' +
    'spatial specific sql sql_big_result sql_buffer_result sql_calc_found_rows sql_no_cache ' +
    'sql_small_result sql_tsi_day sql_tsi_hour sql_tsi_minute sql_tsi_month sql_tsi_second ' +
    'sql_tsi_year sqlexception sqlstate sqlwarning sqrt ssl st_area st_asbinary st_asgeojson ' +
    'st_astext st_aswkb st_aswkt st_buffer st_centroid st_contains st_convexhull st_crosses ' +
    'st_difference st_dimension st_disjoint st_distance st_distance_sphere st_endpoint ' +
    'st_envelope st_equals st_exteriorring st_geomcollfromtext st_geomcollfromwkb ' +
    'st_geometrycollectionfromtext st_geometrycollectionfromwkb st_geometryfromtext ' +
    'st_geometryfromwkb st_geometryn st_geometrytype st_geomfromgeojson st_geomfromtext ' +
    'st_geomfromwkb st_interiorringn st_intersection st_intersects st_isclosed st_isempty ' +
    'st_issimple st_length st_linefromtext st_linefromwkb st_linestringfromtext ' +
    'st_linestringfromwkb st_mlinefromtext st_mlinefromwkb st_mpointfromtext st_mpointfromwkb ' +
    'st_mpolyfromtext st_mpolyfromwkb st_multilinestringfromtext st_multilinestringfromwkb ' +
    'st_multipointfromtext st_multipointfromwkb st_multipolygonfromtext st_multipolygonfromwkb ' +
    'st_numgeometries st_numinteriorrings st_numpoints st_overlaps st_pointfromtext ' +
    'st_pointfromwkb st_pointn st_polyfromtext st_polyfromwkb st_polygonfromtext ' +
    'st_polygonfromwkb st_srid st_startpoint st_symdifference st_touches st_union st_within st_x ' +
    'st_y starting std stddev stddev_pop stddev_samp str_to_date straight_join strcmp subdate ' +
    'substr substring substring_index subtime sum sysdate system_user table tan terminated then ' +
    'time time_format time_to_sec timediff timestamp timestampadd timestampdiff tinyblob tinyint ' +
    'tinytext to to_base64 to_days to_seconds trailing trigger trim true truncate ucase ' +
    'uncompress uncompressed_length undo unhex union unique unix_timestamp unlock unsigned update ' +
    'updatexml upper usage use user using utc_date utc_time utc_timestamp uuid uuid_short value ' +
    'values var_pop var_samp varbinary varchar varcharacter variance varying version week weekday ' +
    'weekofyear weight_string when where while with write xor year year_month yearweek zerofill',
);
const mysqls = words(
  'any_value bin_to_uuid cube cume_dist dense_rank empty etag external first_value from_vector ' +
    'function generated geomcollection get grouping groups gtid_subset gtid_subtract icu_version ' +
    'is_uuid json_schema_validation_report json_storage_free json_storage_size json_table lag ' +
    'lateral lead library mbrcoveredby mbrcovers nth_value ntile of option percent_rank ' +
    'ps_current_thread_id ps_thread_id qualify rank regexp_like roles_graphml source_pos_wait ' +
    'sql_tsi_quarter sql_tsi_week st_buffer_strategy st_collect st_frechetdistance st_geohash ' +
    'st_geomcollfromtxt st_hausdorffdistance st_isvalid st_latfromgeohash st_latitude ' +
    'st_lineinterpolatepoint st_lineinterpolatepoints st_longfromgeohash st_longitude ' +
    'st_makeenvelope st_numinteriorring st_pointatdistance st_pointfromgeohash st_simplify ' +
    'st_swapxy st_transform st_validate statement_digest statement_digest_text stored ' +
    'string_to_vector system tablesample to_vector uuid_to_bin validate_password_strength ' +
    'vector_dim vector_to_string virtual wait_for_executed_gtid_set window',
);
const mariadbs = words(
  'add_months area asbinary astext aswkb aswkt binlog_gtid_pos boundary buffer centroid chr ' +
    'column_add column_check column_create column_delete column_exists column_get column_json ' +
    'column_list contains convexhull crc32c crosses cume_dist decode decode_histogram dense_rank ' +
    'des_decrypt des_encrypt dimension disjoint encode encrypt endpoint envelope equals ' +
    'exteriorring first_value geomcollfromtext geomcollfromwkb geometrycollectionfromtext ' +
    'geometryfromtext geometryn geometrytype geomfromtext geomfromwkb glength interiorringn ' +
    'intersects isclosed isempty isring issimple json_array_intersect json_compact json_detailed ' +
    'json_equals json_exists json_key_value json_loose json_normalize json_object_filter_keys ' +
    'json_object_to_array json_query json_table kdf lag lastval lead lengthb linefromtext ' +
    'linefromwkb master_gtid_wait mbrequal median mlinefromtext mpointfromtext mpolyfromtext ' +
    'natural_sort_key nextval nth_value ntile numgeometries numinteriorrings numpoints nvl nvl2 ' +
    'offset old_password overlaps password percent_rank percentile_cont percentile_disc ' +
    'pointfromtext pointn pointonsurface polyfromtext portion rank returning rownum setval ' +
    'sformat sql_cache srid st_boundary st_isring st_pointonsurface st_relate startpoint sys_guid ' +
    'to_char touches uuid_v4 uuid_v7 vec_distance vec_distance_cosine vec_distance_euclidean ' +
    'vec_fromtext vec_totext vector within wsrep_last_seen_gtid wsrep_last_written_gtid ' +
    'wsrep_sync_wait_upto_gtid x y',
);
const mysqlHashes = hashes(both, mysqls);
const mariadbHashes = hashes(both, mariadbs);

/** In lower case. In doubt not: a server's version may know more. */
export function isKnownWord(word: string, dialect: Dialect): boolean {
  return both.has(word) || (dialect.isMariadb ? mariadbs : mysqls).has(word);
}

/** The same for `wordHash` of a word: no name that is not known has the hash of one that is, but for a very rare chance. */
export function isKnownHash(hash: number, dialect: Dialect): boolean {
  const table = dialect.isMariadb ? mariadbHashes : mysqlHashes;
  let at = hash & (TABLE_SLOTS - 1);
  while (table[at] !== EMPTY_SLOT && table[at] !== hash) at = (at + 1) & (TABLE_SLOTS - 1);
  return table[at] === hash;
}

/** Of `bytes[start, end)`; letters of either case are the same. FNV-1a. */
export function wordHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_OFFSET | 0;
  for (let at = start; at < end; at += 1)
    hash = Math.imul(hash ^ (u8(bytes, at) | LOWER), FNV_PRIME);
  return hash;
}

/** Several times as many slots as words, so that hardly any is not in its place. */
function hashes(some: ReadonlySet<string>, more: ReadonlySet<string>): Int32Array {
  const table = new Int32Array(TABLE_SLOTS);
  for (const word of some.union(more)) {
    const hash = wordHash(utf8(word), 0, word.length);
    let at = hash & (TABLE_SLOTS - 1);
    while (table[at] !== EMPTY_SLOT) at = (at + 1) & (TABLE_SLOTS - 1);
    table[at] = hash;
  }
  return table;
}
