import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { ApiError } from '../api-error.ts';
import { readArn } from '../../state/rds-names.ts';
import { registerDatabase } from '../../state/rds-registering.ts';
import { ACCOUNT, createForm, database, refusal, REGION, stage } from './fixture.test-support.ts';
import { PORT_TAG, readTags } from './tags.ts';

const port = { Key: PORT_TAG, Value: '5432' };

async function withProxy() {
  const on = stage();
  const more = 'Tags.Tag.1.Key=team&Tags.Tag.1.Value=a b&Tags.Tag.2.Key=empty';
  await on.ask('CreateDBProxy', createForm('orders', more));
  const [proxy] = on.proxies.list();
  const arn = on.proxies.arn('proxy', proxy!.id);
  const list = () => on.ask('ListTagsForResource', `ResourceName=${arn}`);
  return { on, arn, list, proxy: proxy! };
}

describe('tags', () => {
  test('are those of the creation, and the port', async () => {
    const { list } = await withProxy();
    expect(await list()).toEqual({
      TagList: { Tag: [port, { Key: 'empty', Value: '' }, { Key: 'team', Value: 'a b' }] },
    });
  });

  test('are added, replaced and removed, and survive a rename', async () => {
    const { on, arn, list } = await withProxy();
    await on.ask(
      'AddTagsToResource',
      `ResourceName=${arn}&Tags.Tag.1.Key=team&Tags.Tag.1.Value=c&Tags.Tag.2.Key=x&Tags.Tag.2.Value=y`,
    );
    expect(on.asked).toEqual([`rds:AddTagsToResource ${arn}`]);
    await on.ask(
      'RemoveTagsFromResource',
      `ResourceName=${arn}&TagKeys.member.1=empty&TagKeys.member.2=none`,
    );
    await on.ask('ModifyDBProxy', 'DBProxyName=orders&NewDBProxyName=bills');
    expect(await list()).toEqual({
      TagList: { Tag: [port, { Key: 'team', Value: 'c' }, { Key: 'x', Value: 'y' }] },
    });
  });

  test('go with what they hang on', async () => {
    const { on, arn, list } = await withProxy();
    await on.ask('DeleteDBProxy', 'DBProxyName=orders');
    on.proxies.settle(on.plane);
    expect(await refusal(list())).toMatchObject({ code: 'DBProxyNotFoundFault', status: 404 });
    expect(on.proxies.tags.of(arn)).toEqual([]);
  });

  test('hang on target groups and databases, too', async () => {
    const { on, proxy } = await withProxy();
    registerDatabase(on.proxies, database('db', { cluster: 'c' }), 'api');
    for (const arn of [
      on.proxies.arn('group', proxy.group.id),
      on.proxies.arn('database', 'db'),
      on.proxies.arn('cluster', 'c'),
    ]) {
      await on.ask('AddTagsToResource', `ResourceName=${arn}&Tags.Tag.1.Key=a&Tags.Tag.1.Value=b`);
      expect(await on.ask('ListTagsForResource', `ResourceName=${arn}`)).toEqual({
        TagList: { Tag: [{ Key: 'a', Value: 'b' }] },
      });
    }
  });

  test.each([
    ['db-proxy:prx-none', 'DBProxyNotFoundFault', 404],
    ['target-group:prx-tg-none', 'DBProxyTargetGroupNotFoundFault', 404],
    ['db-proxy-endpoint:prx-endpoint-none', 'DBProxyEndpointNotFoundFault', 404],
    ['db:none', 'DBInstanceNotFound', 404],
    ['cluster:none', 'DBClusterNotFoundFault', 404],
    ['snapshot:none', 'InvalidParameterValue', 400],
  ])('of %s there are none', async (name, code, status) => {
    const arn = `arn:aws:rds:${REGION}:${ACCOUNT}:${name}`;
    const refused = await refusal(stage().ask('ListTagsForResource', `ResourceName=${arn}`));
    expect(refused).toMatchObject({ code, status });
  });

  test.each([
    ['Tags.Tag.1.Key=AWS:x', 'reserved'],
    ['Tags.Tag.1.Key=rds:x', 'reserved'],
    ['Tags.Tag.1.Key=sluice:port', 'reserved'],
    ['Tags.Tag.1.Key=', '1 to 128'],
    [`Tags.Tag.1.Key=${'a'.repeat(129)}`, '1 to 128'],
    ['Tags.Tag.1.Key=a%23', '1 to 128'],
    [`Tags.Tag.1.Key=a&Tags.Tag.1.Value=${'a'.repeat(257)}`, 'at most 256'],
    ['Tags.Tag.1.Key=a&Tags.Tag.2.Key=a', 'given twice'],
  ])('cannot be %.60s', async (more, words) => {
    const { on, arn } = await withProxy();
    const refused = await refusal(on.ask('AddTagsToResource', `ResourceName=${arn}&${more}`));
    expect(refused).toMatchObject({ code: 'InvalidParameterValue', status: 400 });
    expect(refused?.message).toContain(words);
  });

  test('are at most fifty, and ours cannot be removed', async () => {
    const { on, arn } = await withProxy();
    const many = Array.from({ length: 49 }, (_, at) => `Tags.Tag.${at + 1}.Key=k${at}`).join('&');
    expect(await refusal(on.ask('AddTagsToResource', `ResourceName=${arn}&${many}`))).toMatchObject(
      {
        code: 'InvalidParameterValue',
      },
    );
    expect(
      await refusal(
        on.ask('RemoveTagsFromResource', `ResourceName=${arn}&TagKeys.member.1=${PORT_TAG}`),
      ),
    ).toMatchObject({ code: 'InvalidParameterValue' });
  });

  test('any are read, or refused', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ Key: fc.string(), Value: fc.string() })), (tags) => {
        try {
          expect(readTags(tags)).toHaveLength(tags.length);
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
    );
  });
});

test('any text is an ARN of ours, or none', () => {
  const place = { region: REGION, account: ACCOUNT };
  const parts = fc.constantFrom('arn', 'aws', 'rds', REGION, ACCOUNT, 'db', 'db-proxy', 'x', '');
  fc.assert(
    fc.property(fc.array(parts), (texts) => {
      const read = readArn(place, texts.join(':'));
      if (read !== undefined) expect(read.key).toBe(texts.at(-1)!);
    }),
  );
});
