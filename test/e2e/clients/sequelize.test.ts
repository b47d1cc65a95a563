import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { runInNode } from '../../support/node-client.ts';
import { Stage } from './stage.ts';

/**
 * An API handler as people write them: models, hooks, transactions with isolation levels, retries. Sequelize begins each
 * connection with three SETs, which pin it: its pool must not be larger than ours.
 */
const program = `
  const { Sequelize, DataTypes, Transaction, Op } = (await import('sequelize')).default;
  const { host, port, user, password, database, ca } = args;
  const statements = [];
  const sequelize = new Sequelize(database, user, password, {
    host, port, dialect: 'postgres', logging: (line) => statements.push(line),
    pool: { max: 3 },
    dialectOptions: ca === null ? {} : { ssl: { ca, rejectUnauthorized: true, servername: 'localhost' } },
  });
  const User = sequelize.define('User', {
    email: { type: DataTypes.STRING, allowNull: false, unique: true, validate: { isEmail: true } },
    credit: { type: DataTypes.INTEGER, defaultValue: 0 },
    tags: DataTypes.ARRAY(DataTypes.STRING),
    profile: DataTypes.JSONB,
    role: { type: DataTypes.ENUM('admin', 'member'), defaultValue: 'member' },
    born: DataTypes.DATEONLY,
  });
  const Order = sequelize.define('Order', { total: DataTypes.DECIMAL(10, 2) });
  User.hasMany(Order); Order.belongsTo(User);
  const hooks = [];
  User.addHook('beforeCreate', (user) => { hooks.push('before'); user.email = user.email.toLowerCase(); });
  User.addHook('afterCreate', async (user, { transaction }) => {
    hooks.push('after');
    await Order.create({ total: 1.5, UserId: user.id }, { transaction });
  });
  const createUser = (body, isolationLevel) => sequelize.transaction({ isolationLevel }, async (transaction) => {
    const user = await User.create(body, { transaction });
    if (body.fail) throw new Error('refused by the handler');
    return user.id;
  });
  const { READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE } = Transaction.ISOLATION_LEVELS;
  const spend = async (id) => {
    for (;;) {
      try {
        return await sequelize.transaction({ isolationLevel: SERIALIZABLE }, async (transaction) => {
          const user = await User.findByPk(id, { transaction });
          await user.update({ credit: user.credit + 1 }, { transaction });
        });
      } catch (error) {
        if (error.parent?.code !== '40001') throw error;
      }
    }
  };
  try {
    await sequelize.authenticate();
    await sequelize.sync({ force: true });
    const people = Array.from({ length: 30 }, (_, n) => ({ email: 'User' + n + '@Example.com', tags: ['a', 'b,c'], profile: { n }, born: '2000-02-29' }));
    const levels = [READ_COMMITTED, REPEATABLE_READ, undefined];
    await Promise.all(people.map((person, n) => createUser(person, levels[n % 3])));
    const duplicate = await createUser({ email: 'user1@example.com' }).catch((e) => e.name);
    const refused = await createUser({ email: 'new@example.com', fail: true }).catch((e) => e.message);
    const invalid = await User.create({ email: 'none' }).catch((e) => e.name);
    const one = await User.findOne({ where: { email: 'user7@example.com' }, include: Order });
    await Promise.all(Array.from({ length: 8 }, () => spend(one.id)));
    await one.reload();
    const [changed] = await User.update({ role: 'admin' }, { where: { profile: { n: { [Op.lt]: 5 } } } });
    const { count, rows } = await User.findAndCountAll({ where: { role: 'admin' }, order: [['id', 'ASC']], limit: 2 });
    await User.bulkCreate([{ email: 'b1@example.com' }, { email: 'b2@example.com' }], { hooks: false });
    const destroyed = await User.destroy({ where: { email: { [Op.like]: 'b%' } } });
    const [raw] = await sequelize.query('SELECT sum(total)::text AS sum FROM "Orders" WHERE total > :least', { replacements: { least: 0 }, type: 'SELECT' });
    const [bound] = await sequelize.query('SELECT $1::int + 1 AS n', { bind: [41], type: 'SELECT' });
    const nested = await sequelize.transaction(async (transaction) => {
      await sequelize.transaction({ transaction }, async (inner) => { await User.create({ email: 'in@example.com' }, { transaction: inner }); throw new Error('inner'); }).catch(() => {});
      return await User.count({ transaction });
    });
    await sequelize.drop({});
    return { users: 30, hooks: hooks.length, duplicate, refused, invalid, tags: one.tags, born: one.born, orders: one.Orders.length,
      credit: one.credit, changed, count, limited: rows.length, destroyed, sum: raw.sum, n: bound.n, nested, wrote: statements.length > 100 };
  } finally { await sequelize.close(); }`;

for (const version of [18, 14] as const) {
  describe(`Sequelize under Node with PostgreSQL ${version}`, () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await Stage.open({ version });
    });
    afterAll(() => stage.close());

    test.each([false, true])('an application, TLS: %p', async (tls) => {
      const ca = tls ? stage.caPem : null;
      expect(await runInNode(program, { ...stage.address, ca })).toEqual({
        users: 30,
        hooks: 65,
        duplicate: 'SequelizeUniqueConstraintError',
        refused: 'refused by the handler',
        invalid: 'SequelizeValidationError',
        tags: ['a', 'b,c'],
        born: '2000-02-29',
        orders: 1,
        credit: 8,
        changed: 5,
        count: 5,
        limited: 2,
        destroyed: 2,
        sum: '45.00',
        n: 42,
        nested: 30,
        wrote: true,
      });
    });

    test('nothing is left behind', async () => {
      await stage.expectClean();
      expect(
        stage.discards('violation', 'bytesWhileIdle', 'resetFailed', 'databaseClosed'),
      ).toEqual([]);
    });
  });
}
